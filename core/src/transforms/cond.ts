import { scalar } from "../array/concrete.js";
import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { describeValue, requireFunction } from "../base/options.js";
import { argumentAt, formatTree, pathsOf, treeDifference, type TreeDef, unflatten } from "../base/tree.js";

import { formatAval, sameType } from "../ir/aval.js";
import { Program, Var } from "../ir/program.js";
import { max, min, ne } from "../primitives/binary.js";
import { cond as condPrimitive } from "../primitives/control-flow.js";
import { broadcastTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { stage, type Staged } from "../trace/stage.js";
import { bind, bind1 } from "../trace/trace.js";
import { flattenArgs, flattenResult, leafToArray } from "./function-args.js";

/**
 * Runs `branches[index]` on the operands: only that branch, also inside `jit` (under `vmap` of the index all run and results are chosen).
 * The index is moved into range. Branches must return the same structure, shapes and dtypes.
 * @throws ShapeError naming the first result in which branches differ.
 * @example switchCase(1, [(x) => x.mul(2), (x) => x.neg()], np.ones([2]));
 */
export function switchCase<A extends readonly unknown[], R>(index: ArrayLike, branches: readonly ((...operands: A) => R)[], ...operands: A): R {
  if (!Array.isArray(branches) || branches.length === 0) throw new ArgumentError({ fn: "switchCase", arg: "branches", expected: "an array of at least one function", got: describeValue(branches), fix: "pass the branches as an array" });
  branches.forEach((branch, k) => requireFunction(branch, "switchCase", `branch ${k}`, "(...operands) => result"));
  const i = leafToArray(index, "switchCase", () => "index");
  if (i.ndim !== 0) throw new ShapeError({ fn: "switchCase", arg: "index", expected: "a scalar", got: formatAval(i.aval), fix: "use vmap for a batch of indices" });
  const at = convertTo(i, "int32");
  const clamped = bind1(max, [bind1(min, [at, scalar(branches.length - 1, "int32", false)], {}), scalar(0, "int32", false)], {});
  return runBranches("switchCase", clamped, branches, operands);
}

/**
 * `predicate ? onTrue(...operands) : onFalse(...operands)`, compiled: only the branch taken runs (under `vmap` of the predicate both do).
 * @throws ShapeError when the branches' results differ in structure, shape or dtype.
 * @example cond(x.sum().gt(0), (v) => v.sum(), (v) => v.prod(), x);
 */
export function cond<A extends readonly unknown[], R>(predicate: ArrayLike, onTrue: (...operands: A) => R, onFalse: (...operands: A) => R, ...operands: A): R {
  const p = leafToArray(predicate, "cond", () => "predicate");
  if (p.ndim !== 0) throw new ShapeError({ fn: "cond", arg: "predicate", expected: "a scalar", got: formatAval(p.aval), fix: "reduce it with all or any, or use np.where for elementwise choice" });
  requireFunction(onTrue, "cond", "onTrue", "(...operands) => result");
  requireFunction(onFalse, "cond", "onFalse", "(...operands) => result");
  const bool = p.dtype === "bool" ? p : bind1(ne, [p, broadcastTo(scalar(0, p.dtype, p.weak), [], [])], {});
  return runBranches("cond", convertTo(bool, "int32"), [onFalse, onTrue], operands, ["onFalse", "onTrue"]);
}

function runBranches<A extends readonly unknown[], R>(fn: string, index: NDArray, branches: readonly ((...operands: A) => R)[], operands: A, names: readonly string[] = branches.map((_, k) => `branch ${k}`)): R {
  const [leaves, tree] = flattenArgs(operands, fn, "operands");
  let outTree: TreeDef | undefined;
  const staged = branches.map((branch, k) => stage((...xs) => {
    const [outs, def] = flattenResult(branch(...(unflatten(tree, xs) as A)), fn);
    if (outTree && outTree.key !== def.key)
      throw new ShapeError({ fn, arg: `${names[k]}, result`, expected: `the structure that ${names[0]} gives, ${formatTree(outTree)}`, got: `${formatTree(def)} (${treeDifference(outTree, def)})`, fix: "return the same structure from every branch" });
    outTree ??= def;
    return outs;
  }, leaves.map((x) => x.aval), fn));
  const programs = shareCaptures(staged);
  checkBranchTypes(fn, names, programs.programs, outTree!);
  const outs = bind(condPrimitive, [index, ...programs.captured, ...leaves], { branches: programs.programs });
  return unflatten<R>(outTree!, outs);
}

/** Gives all branches the same inputs: everything any of them closed over, then the operands. */
function shareCaptures(staged: readonly Staged[]): { programs: Program[]; captured: NDArray[] } {
  const captured = [...new Set(staged.flatMap((s) => s.captured))];
  const programs = staged.map((s) => {
    const own = new Map(s.captured.map((x, i) => [x, s.program.inputs[i]!]));
    return new Program([...captured.map((x) => own.get(x) ?? new Var(x.aval)), ...s.program.inputs.slice(s.captured.length)], [], s.program.equations, s.program.outputs);
  });
  return { programs, captured };
}

/** Results that differ only in weakness agree; anything else is an error that names the result. */
function checkBranchTypes(fn: string, names: readonly string[], programs: readonly Program[], tree: TreeDef): void {
  const first = programs[0]!.outputTypes;
  programs.forEach((p, k) => {
    const bad = p.outputTypes.findIndex((t, i) => !sameType(t, first[i]!));
    if (bad >= 0)
      throw new ShapeError({ fn, arg: argumentAt(`${names[k]}, result`, pathsOf(tree)[bad]!), expected: `${formatAval(first[bad]!)} as from ${names[0]}`, got: formatAval(p.outputTypes[bad]!), fix: "make the branches return equal shapes and dtypes (astype, broadcastTo)" });
  });
}
