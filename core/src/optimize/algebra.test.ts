import { describe, expect, it } from "vitest";
import { checkProgram, evaluateProgram, type Program } from "../extend.js";
import { makeProgram, type NDArray, np } from "../index.js";
import { optimize } from "./optimize.js";

/** The optimized Program, whose values are those of the traced one within `tolerance` (0: to the last bit). */
function optimized(f: (...args: never[]) => unknown, args: NDArray[], tolerance = 0): Program {
  const program = makeProgram(f as (...a: NDArray[]) => unknown)(...args);
  const better = optimize(program);
  checkProgram(better);
  const [want, got] = [program, better].map((p) => evaluateProgram(p, args).map((y) => [...y.data]));
  if (tolerance === 0) expect(got).toEqual(want);
  else want!.forEach((w, i) => w.forEach((v, k) => expect(Math.abs(got![i]![k]! - v)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(v)))));
  return better;
}
const names = (p: Program): string[] => p.equations.map((e) => e.primitive.name);
const count = (p: Program, name: string): number => names(p).filter((n) => n === name).length;
const numbers = (...shape: number[]): NDArray => np.sin(np.arange(shape.reduce((n, d) => n * d, 1)).astype("float64")).reshape(shape);
const special = np.array([[1.5, -2, 0, 5e-324], [NaN, -0, Infinity, -Infinity]]);

describe("algebra of elements, to the last bit", () => {
  it.each<[string, (x: NDArray, y: NDArray) => NDArray, string[]]>([
    ["sums and differences of negatives", (x, y) => np.add(x, np.negative(y)), ["sub"]],
    ["negatives first", (x, y) => np.add(np.negative(x), y), ["sub"]],
    ["differences of negatives", (x, y) => np.subtract(x, np.negative(y)), ["add"]],
    ["products of negatives", (x, y) => np.multiply(np.negative(x), np.negative(y)), ["mul"]],
    ["quotients of negatives", (x, y) => np.divide(np.negative(x), np.negative(y)), ["div"]],
    ["division by powers of two", (x, y) => np.divide(x.mul(y), 8), ["mul", "broadcast", "mul"]],
    ["division by others", (x, y) => np.divide(x.mul(y), 3), ["mul", "broadcast", "div"]],
    ["division by what has no normal reciprocal", (x, y) => np.divide(x.mul(y), 2 ** 1023), ["mul", "broadcast", "div"]],
    ["bounds that bind nothing", (x, y) => np.minimum(np.maximum(x, -Infinity), Infinity).mul(y), ["mul"]],
    ["the greater of equals", (x, y) => np.maximum(x, x).mul(y), ["mul"]],
    ["sums that differ in order", (x, y) => np.add(x, y).mul(np.add(y, x)), ["add", "mul"]],
    ["differences do differ in order", (x, y) => np.subtract(x, y).mul(np.subtract(y, x)), ["sub", "sub", "mul"]],
  ])("%s", (_name, f, left) => {
    expect(names(optimized(f as never, [special, np.flip(special)]))).toEqual(left);
  });

  it("operations on repeated values come before the repetition", () => {
    const p = optimized(((x: NDArray, y: NDArray) => np.exp(np.broadcastTo(x.reshape([4, 1]), [4, 5])).mul(np.broadcastTo(y.reshape([4, 1]), [4, 5])).mul(2)) as never, [numbers(4), numbers(4)]);
    expect(p.equations.filter((e) => e.primitive.facts.elementwise).map((e) => e.outputs[0]!.aval.shape)).toEqual([[4], [4], [4]]);
    const different = optimized(((x: NDArray, y: NDArray) => np.add(np.broadcastTo(x.reshape([4, 1]), [4, 5]), np.broadcastTo(y, [4, 5]))) as never, [numbers(4), numbers(5)]);
    expect(names(different).at(-1)).toBe("add");
    const empty = optimized(((x: NDArray) => np.exp(np.broadcastTo(x.reshape([1, 1]), [0, 5]))) as never, [numbers(1)]);
    expect(empty.outputs[0]!.aval.shape).toEqual([0, 5]);
  });

  it("known numbers stay known through shapes, conversions and axes of length one", () => {
    const p = optimized(((x: NDArray) => np.multiply(np.full([3], 2), np.full([3], 50)).add(np.eye(1).reshape([1])).mul(x)) as never, [numbers(3)]);
    expect(names(p)).toEqual(["broadcast", "mul"]);
  });
});

describe("products of matrices", () => {
  it.each<[string, (a: NDArray) => NDArray, string[]]>([
    ["with the identity", (a) => np.matmul(a, np.eye(4)), ["reshape"]],
    ["of the identity", (a) => np.tensordot(np.eye(4), a, [[1], [1]]), ["transpose"]],
    ["of the identity's other axis", (a) => np.tensordot(a, np.eye(4), [[1], [1]]), ["reshape"]],
    ["no identity: a shifted one", (a) => np.matmul(a, np.eye(4, 4, 1)), ["dot"]],
  ])("%s", (_name, f, left) => {
    expect(names(optimized(((a: NDArray) => f(a).reshape([12])) as never, [numbers(3, 4)])).filter((n) => ["dot", "transpose", "reshape"].includes(n)).slice(0, 1)).toEqual(left);
  });

  it("read transposed operands as they lie", () => {
    const p = optimized(((a: NDArray, b: NDArray) => np.matmul(a.T, b.T)) as never, [numbers(4, 3), numbers(5, 4)], 1e-14);
    expect(names(p)).toEqual(["dot"]);
    const swapped = optimized(((a: NDArray, b: NDArray) => np.tensordot(np.transpose(a, [2, 1, 0]), b, [[0], [0]])) as never, [numbers(2, 3, 4), numbers(4, 5)], 1e-14);
    expect(names(swapped)).toEqual(["transpose", "dot"]);
  });

  it.each<[string, (a: NDArray, b: NDArray, c: NDArray) => NDArray, number[][], number[]]>([
    ["(A B) v", (a, b, v) => np.matmul(np.matmul(a, b), v), [[20, 30], [30, 40], [40]], [30]],
    ["v (A B)", (a, b, v) => np.matmul(v, np.matmul(a, b)), [[20, 30], [30, 40], [20]], [30]],
    ["(A B) C with a thin C", (a, b, c) => np.matmul(np.matmul(a, b), c), [[20, 30], [30, 40], [40, 2]], [30, 2]],
    ["C (A B) with a thin C", (a, b, c) => np.matmul(c, np.matmul(a, b)), [[20, 30], [30, 40], [2, 20]], [30, 2]],
    ["A's rows met first", (a, b, c) => np.tensordot(np.matmul(a, b), c, [[0], [0]]), [[20, 30], [30, 40], [20, 2]], [30, 2]],
    ["C's rows with B's columns", (a, b, c) => np.tensordot(c, np.matmul(a, b), [[0], [1]]), [[20, 30], [30, 40], [40, 3]], [30, 3]],
    ["some of B's axes", (a, b, c) => np.tensordot(np.tensordot(a, b, [[1], [0]]), c, [[2], [0]]), [[20, 30], [30, 6, 40], [40, 2]], [30, 6, 2]],
    ["no gain", (a, b, c) => np.matmul(np.matmul(a, b), c), [[20, 3], [3, 4], [4, 50]], [20, 4]],
  ])("matrix-chain order: %s", (_name, f, shapes, middle) => {
    const p = optimized(f as never, shapes.map((s) => numbers(...s)), 1e-13);
    expect(p.equations.filter((e) => e.primitive.name === "dot")[0]!.outputs[0]!.aval.shape).toEqual(middle);
    // A product that is needed itself is computed.
    const both = optimized(((a: NDArray, b: NDArray, c: NDArray) => [f(a, b, c), np.matmul(a.reshape([20, -1]), b.reshape([a.shape[1]!, -1]))]) as never, shapes.map((s) => numbers(...s)), 1e-13);
    expect(count(both, "dot")).toBeLessThanOrEqual(3);
  });
});
