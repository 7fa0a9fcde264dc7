import type { NDArray } from "../array/ndarray.js";
import { ShapeError } from "../base/errors.js";
import { requireFunction } from "../base/options.js";
import { type TreeDef, unflatten } from "../base/tree.js";
import { formatAval } from "../ir/aval.js";
import { whileLoop as whilePrimitive } from "../primitives/control-flow.js";
import { stage } from "../trace/stage.js";
import { bind } from "../trace/trace.js";
import { adaptWeakCarry, requireSameCarry } from "./carry.js";
import { flattenArgs, flattenResult } from "./function-args.js";

/**
 * `while (condition(state)) state = body(state)`, compiled into the program: no return to JavaScript between iterations.
 * Forward derivatives of any order; reverse ones need a bound on the iterations (`foriLoop`, `scan`).
 * @throws ShapeError when the condition is no bool scalar or the state changes type; TreeError when it changes structure.
 * @example whileLoop((x) => x.lt(100), (x) => x.mul(2), 1);
 */
export function whileLoop<C>(condition: (state: C) => NDArray, body: (state: C) => C, init: C): C {
  requireFunction(condition, "whileLoop", "condition", "(state) => bool");
  requireFunction(body, "whileLoop", "body", "(state) => state");
  const [start, tree] = flattenArgs(init, "whileLoop", "init");
  let carry = start;
  for (let attempt = 0; ; attempt++) {
    const types = carry.map((x) => x.aval);
    let outTree!: TreeDef;
    const step = stage((...xs) => {
      const [outs, def] = flattenResult(body(unflatten<C>(tree, xs)), "whileLoop");
      outTree = def;
      return outs;
    }, types, "whileLoop");
    const adapted = attempt < 3 && outTree.key === tree.key ? adaptWeakCarry(carry, step.program.outputTypes) : undefined;
    if (adapted) {
      carry = adapted;
      continue;
    }
    requireSameCarry("whileLoop", tree, types, outTree, step.program.outputTypes);
    const test = stage((...xs) => flattenResult(condition(unflatten<C>(tree, xs)), "whileLoop")[0], types, "whileLoop");
    const [result, ...more] = test.program.outputTypes;
    if (!result || more.length || result.dtype !== "bool" || result.shape.length)
      throw new ShapeError({ fn: "whileLoop", arg: "condition", expected: "a bool scalar", got: test.program.outputTypes.map(formatAval).join(", ") || "nothing", fix: "compare, and reduce with all or any" });
    return unflatten<C>(tree, bind(whilePrimitive, [...test.captured, ...step.captured, ...carry], { condition: test.program, body: step.program, conditionConstants: test.captured.length, bodyConstants: step.captured.length }));
  }
}
