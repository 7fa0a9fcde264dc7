import { describe, expect, it } from "vitest";
import { evaluateProgram, type Program } from "../extend.js";
import { jit, makeProgram, type NDArray, np, scan, vmap } from "../index.js";
import { checkProgram } from "../ir/check.js";
import { printProgram } from "../ir/print.js";
import { optimize } from "../optimize/optimize.js";
import type { ScanParams } from "./control-flow-params.js";

const numbers = (shape: number[], seed = 1): NDArray => np.sin(np.arange(shape.reduce((n, d) => n * d, 1)).add(seed).mul(1.7)).reshape(shape);
type Rows = (s: NDArray) => NDArray[];

/** A loop that stacks functions of its carry, and one that walks back along them. */
const pair = (rows: Rows, step: (g: NDArray, rows: NDArray[]) => NDArray, options: { forward?: boolean; keep?: boolean } = {}) => (h: NDArray, g: NDArray, xs: NDArray) => {
  const [last, stacks] = scan((s: NDArray, x: NDArray) => [np.cos(s).add(x), rows(s)] as const, h, xs, { reverse: options.forward === false });
  const [back, each] = scan((t: NDArray, r: NDArray[]) => { const next = step(t, r); return [next, next.mul(2)] as const; }, g, stacks, { reverse: true });
  return [last, back, each, ...(options.keep ? stacks : [])];
};

/** How many arrays the second loop walks along; what the passes made gives what was traced. */
function walked(f: (h: NDArray, g: NDArray, xs: NDArray) => NDArray[], steps = 5, n = 3): number {
  const args = [numbers([n]), numbers([n], 2), numbers([steps, n], 3)] as const;
  const program = makeProgram(f as never)(...args) as Program;
  const want = evaluateProgram(program, args);
  const better = optimize(program);
  checkProgram(better);
  expect(printProgram(optimize(better))).toBe(printProgram(better));
  for (const got of [evaluateProgram(better, args), jit(f)(...args)])
    got.forEach((y, i) => {
      expect(y.shape).toEqual(want[i]!.shape);
      y.data.forEach((v, k) => expect(Math.abs(v - want[i]!.data[k]!)).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(v))));
    });
  const loops = better.equations.filter((e) => e.primitive.name === "scan");
  const params = loops.at(-1)!.params as ScanParams;
  return loops.length < 2 ? 0 : params.program.inputs.length - params.constants - params.carry;
}

describe("what a loop can make of another's rows alone", () => {
  const slopes: Rows = (s) => [np.sin(s), np.tanh(s.mul(2)), np.cos(s)];
  const chain = (g: NDArray, [a, b, c]: NDArray[]) => g.mul(a!).mul(b!).mul(c!);

  it.each([0, 1, 2, 3, 8])("factors of bounded magnitude become one: %d steps", (steps) => {
    expect(walked(pair(slopes, chain), steps)).toBe(steps < 2 ? 3 : 1);
    expect(walked(pair(slopes, (g, [a, b, c]) => c!.mul(np.multiply(b!, g.mul(a!))).add(1), { forward: false }), steps)).toBe(steps < 2 ? 3 : 1);
  });
  it.each([1, 2, 4, 5, 17])("of rows of %d", (n) => { expect(walked(pair(slopes, chain), 4, n)).toBe(1); });
  it("what may overflow, is read twice, or is wanted itself stays apart", () => {
    expect(walked(pair((s) => [np.sin(s), np.exp(s)], (g, [a, b]) => g.mul(a!).mul(b!)))).toBe(2);
    expect(walked(pair(slopes, (g, [a, b, c]) => g.mul(a!).mul(b!).add(a!.mul(b!).mul(g)).mul(c!).add(c!)))).toBeGreaterThanOrEqual(2);
    expect(walked(pair(slopes, (g, r) => chain(g, r).add(r[0]!.mul(g))))).toBe(2);
    expect(walked(pair(slopes, chain, { keep: true }))).toBe(3);
    expect(walked(pair((s) => [np.sin(s).mul(40), np.cos(s).mul(40)], (g, [a, b]) => g.mul(a!).mul(b!)))).toBe(2);
  });
  it("functions of rows alone move whatever their magnitude is, if that saves memory", () => {
    const open: Rows = (s) => [s, np.exp(s), s.mul(3)];
    expect(walked(pair(open, (g, [a, b, c]) => g.mul(a!.mul(b!).sub(c!))))).toBe(1);
    expect(walked(pair(open, (g, [a, b, c]) => g.mul(np.exp(a!)).add(b!).add(c!)))).toBe(3);
    // Results of fewer bytes.
    expect(walked(pair(open, (g, [a, b, c]) => np.where(np.less(a!, b!), g, c!)))).toBe(2);
  });
  it("infinities and zeros come out as they did", () => {
    const f = jit(pair(slopes, chain));
    const [, back] = f(np.array([0, 1, 2]), np.array([Infinity, Infinity, -Infinity]), np.zeros([4, 3]));
    const [, want] = pair(slopes, chain)(np.array([0, 1, 2]), np.array([Infinity, Infinity, -Infinity]), np.zeros([4, 3]));
    expect(back!.toArray()).toEqual(want!.toArray());
  });
  it("under vmap, and of constants beside the carry", () => {
    const f = pair((s) => [...slopes(s), np.ones([3])], (g, [a, b, c, d]) => chain(g, [a!, b!, c!]).add(d!));
    walked(f);
    const args = [numbers([4, 3]), numbers([3], 2), numbers([5, 3], 3)] as const;
    const mapped = (h: NDArray, g: NDArray, xs: NDArray) => vmap((one: NDArray) => f(one, g, xs))(h);
    jit(mapped)(...args).forEach((y, i) => { y.data.forEach((v, k) => expect(Math.abs(v - mapped(...args)[i]!.data[k]!)).toBeLessThanOrEqual(1e-13)); });
  });
});
