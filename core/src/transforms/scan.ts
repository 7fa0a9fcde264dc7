import { scalar } from "../array/concrete.js";
import { type ArrayLike, NDArray } from "../array/ndarray.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { isFloat } from "../base/dtype.js";
import { describeValue, requireFunction, requireInteger, requireOptions } from "../base/options.js";
import { argumentAt, pathsOf, type TreeDef, unflatten } from "../base/tree.js";

import { formatAval } from "../ir/aval.js";
import { add, lt } from "../primitives/binary.js";
import { scan as scanPrimitive } from "../primitives/control-flow.js";
import { convertTo } from "../primitives/types.js";
import { stage } from "../trace/stage.js";
import { bind, bind1, Tracer } from "../trace/trace.js";
import { adaptWeakCarry, requireSameCarry } from "./carry.js";
import { flattenArgs, leafToArray } from "./function-args.js";
import { whileLoop } from "./while-loop.js";

export interface ScanOptions {
  /** Number of iterations; needed when there are no `xs`. */
  readonly length?: number;
  /** From the last element to the first; stacked results keep the order of `xs`. */
  readonly reverse?: boolean;
}

/**
 * Walks along the leading axis of `xs` with a state: `[carry, y] = f(carry, x)`, compiled into one loop.
 * Returns the last carry and the ys stacked along a new leading axis. Reverse and forward derivatives of any order.
 * @throws ShapeError when leading axes differ or the carry changes type; TreeError when it changes structure.
 * @example const [total, partial] = scan((c, x) => [c.add(x), c.add(x)], 0, np.arange(5)); // cumulative sum
 */
export function scan<C, X, Y>(f: (carry: C, x: X) => readonly [C, Y], init: C, xs: X | null | undefined, options: ScanOptions = {}): [C, Y] {
  requireFunction(f, "scan", "f", "(carry, x) => [carry, y]");
  requireOptions(options, "scan", ["length", "reverse"]);
  return scanAs("scan", f, init, xs, options);
}

/** `scan` under the name of the function that the user called. */
function scanAs<C, X, Y>(fn: string, f: (carry: C, x: X) => readonly [C, Y], init: C, xs: X | null | undefined, options: ScanOptions): [C, Y] {
  const [start, carryTree] = flattenArgs(init, fn, "init");
  const [rows, xsTree] = flattenArgs(xs, fn, "xs");
  const length = commonLength(fn, rows, xsTree, options.length);
  const rowTypes = rows.map((x) => ({ ...x.aval, shape: x.shape.slice(1) }));
  let carry = start;
  for (let attempt = 0; ; attempt++) {
    let yTree!: TreeDef;
    let outTree!: TreeDef;
    const staged = stage((...args) => {
      const result = f(unflatten<C>(carryTree, args.slice(0, carry.length)), unflatten<X>(xsTree, args.slice(carry.length)));
      if (!Array.isArray(result) || result.length !== 2) throw new ArgumentError({ fn, arg: "f", expected: "a pair [carry, y]", got: result instanceof NDArray ? "one array" : describeValue(result), fix: "return [carry, y]; use null for y if there is none" });
      const [next, nextTree] = flattenArgs(result[0], fn, "carry returned");
      const [ys, ysTree] = flattenArgs(result[1], fn, "y returned");
      [outTree, yTree] = [nextTree, ysTree];
      return [...next, ...ys];
    }, [...carry.map((x) => x.aval), ...rowTypes], fn);
    const outTypes = staged.program.outputTypes.slice(0, outTree.leafCount);
    const adapted = attempt < 3 && outTree.key === carryTree.key ? adaptWeakCarry(carry, outTypes) : undefined;
    if (adapted) {
      carry = adapted;
      continue;
    }
    requireSameCarry(fn, carryTree, carry.map((x) => x.aval), outTree, outTypes);
    const outs = bind(scanPrimitive, [...staged.captured, ...carry, ...rows], { program: staged.program, constants: staged.captured.length, carry: carry.length, length, reverse: options.reverse ?? false });
    return [unflatten<C>(carryTree, outs.slice(0, carry.length)), unflatten<Y>(yTree, outs.slice(carry.length))];
  }
}

function commonLength(fn: string, rows: readonly NDArray[], tree: TreeDef, given: number | undefined): number {
  rows.forEach((x, i) => {
    if (x.ndim === 0) throw new ShapeError({ fn, arg: argumentAt("xs", pathsOf(tree)[i]!), expected: "arrays with a leading axis to walk along", got: formatAval(x.aval), fix: "pass scalars through the carry or a closure" });
  });
  if (given !== undefined) requireInteger(given, fn, "length", 0);
  const length = given ?? rows[0]?.shape[0];
  if (length !== undefined && length > largestInt32) throw new ArgumentError({ fn, arg: given === undefined ? "xs" : "length", expected: `at most ${largestInt32} iterations, which an int32 counts`, got: String(length), fix: "nest two loops" });
  if (length === undefined) throw new ArgumentError({ fn, arg: fn === "map" ? "xs" : "length", expected: fn === "map" ? "at least one array" : "a length, since there are no xs", got: "none", fix: fn === "map" ? "pass arrays to walk along" : "pass { length: n }" });
  if (rows.some((x) => x.shape[0] !== length)) throw new ShapeError({ fn, arg: "xs", expected: `leading axes of length ${length}`, got: rows.map((x) => formatAval(x.aval)).join(", "), fix: "cut or pad the arrays to one length" });
  return length;
}

/**
 * Applies `f` to each slice along the leading axis, one after the other: `stack(f(x) for x in xs)` in constant memory.
 * @example map((row) => np.sum(row), np.ones([3, 4])); // shape [3]
 */
export function map<X, Y>(f: (x: X) => Y, xs: X): Y {
  requireFunction(f, "map", "f", "(x) => y");
  return scanAs<null, X, Y>("map", (_, x) => [null, f(x)], null, xs, {})[1];
}

const largestInt32 = 2 ** 31 - 1;

/** @throws ArgumentError for a bound that is no int32, as the counter is. */
function requireBound(x: number, arg: string): void {
  if (x === (x | 0)) return;
  const [expected, fix] = Number.isInteger(x) ? [`integers from ${-largestInt32 - 1} to ${largestInt32}`, "count from 0, and nest two loops where there are more iterations"] : ["integers", "round the bounds"];
  throw new ArgumentError({ fn: "foriLoop", arg, expected, got: String(x), fix });
}

/** A traced bound as an int32 scalar. */
function bound(x: ArrayLike, arg: string): NDArray {
  const a = leafToArray(x, "foriLoop", () => arg);
  if (a.ndim !== 0 || (isFloat(a.dtype) && !a.weak)) throw new ShapeError({ fn: "foriLoop", arg, expected: "an integer scalar", got: formatAval(a.aval), fix: 'convert it with astype("int32")' });
  return convertTo(a, "int32");
}

/** A bound known while tracing. */
function staticBound(x: ArrayLike): number | undefined {
  if (typeof x === "number") return x;
  if (x instanceof NDArray && x.ndim === 0) {
    if (x instanceof Tracer) return undefined;
    return Number(x.item());
  }
  return undefined;
}

/**
 * `for (i = lower; i < upper; i++) state = body(i, state)`, compiled. With static bounds it is a `scan` and has reverse derivatives;
 * with traced ones a `whileLoop`.
 * @example foriLoop(0, 10, (i, x) => x.mul(2), np.ones([3]));
 */
export function foriLoop<C>(lower: ArrayLike, upper: ArrayLike, body: (i: NDArray, state: C) => C, init: C): C {
  requireFunction(body, "foriLoop", "body", "(i, state) => state");
  const [lo, hi] = [staticBound(lower), staticBound(upper)];
  if (lo !== undefined) requireBound(lo, "lower");
  if (hi !== undefined) requireBound(hi, "upper");
  if (lo !== undefined && hi !== undefined) {
    const [state] = scanAs<{ i: NDArray; state: C }, null, null>("foriLoop", ({ i, state: s }) => [{ i: bind1(add, [i, scalar(1, "int32", false)], {}), state: body(i, s) }, null], { i: scalar(lo, "int32", false), state: init }, null, { length: Math.max(0, hi - lo) });
    return state.state;
  }
  const end = bound(upper, "upper");
  const start = bound(lower, "lower");
  return whileLoop<{ i: NDArray; state: C }>(({ i }) => bind1(lt, [i, end], {}), ({ i, state }) => ({ i: bind1(add, [i, scalar(1, "int32", false)], {}), state: body(i, state) }), { i: start, state: init }).state;
}

