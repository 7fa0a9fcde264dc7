import { describe, expect, it } from "vitest";
import { lax, type NDArray, np } from "../../../../index.js";

const edges = [0, 1, -1, 2, 7, -7, 2147483647, -2147483648, -2147483647, 31, 32, 33, -100, 65536, -65537];

function operands(): [number[], number[]] {
  const [a, b]: [number[], number[]] = [[], []];
  for (const x of edges) for (const y of edges) { a.push(x); b.push(y); }
  let state = 7;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) | 0);
  for (let i = 0; i < 5000; i++) { a.push(next()); b.push(next() >> (next() >>> 27)); }
  return [a, b];
}

const signed = (q: number): number => (q >>> 0 > 31 ? 31 : q);
/** Each operation, and what it means for a signed and an unsigned pair. */
const operations: readonly [string, (a: NDArray, b: NDArray) => NDArray, (p: number, q: number) => number, ((p: number, q: number) => number)?][] = [
  ["div", lax.div, (p, q) => (q === 0 ? 0 : Math.trunc(p / q))],
  ["rem", lax.rem, (p, q) => (q === 0 ? p : p % q)],
  ["floorDivide", np.floorDivide, (p, q) => (q === 0 ? 0 : Math.floor(p / q))],
  ["remainder", np.remainder, (p, q) => (q === 0 ? 0 : p - q * Math.floor(p / q))],
  ["shiftLeft", lax.shiftLeft, (p, q) => (q >>> 0 > 31 ? 0 : p << q)],
  ["shiftRightLogical", lax.shiftRightLogical, (p, q) => (q >>> 0 > 31 ? 0 : p >>> q)],
  ["shiftRightArithmetic", lax.shiftRightArithmetic, (p, q) => p >> signed(q), (p, q) => (q >>> 0 > 31 ? 0 : p >>> q)],
];

describe("integer lanes", () => {
  const [a, b] = operands();
  for (const type of [Int32Array, Uint32Array])
    for (const [name, f, forSigned, forUnsigned = forSigned] of operations)
      it(`${name} of ${type.name.replace("Array", "")} equals the scalar rule, whatever the number of lanes`, () => {
        const meaning = type === Int32Array ? forSigned : forUnsigned;
        for (const n of [1, 2, 3, 4, 5, 15, 16, 17, a.length]) {
          const [x, y] = [type.from(a.slice(-n)), type.from(b.slice(-n))];
          const expected = new type(n).map((_, i) => meaning(x[i]!, y[i]!));
          expect([...f(np.array(x), np.array(y)).data]).toEqual([...expected]);
        }
      });

  it("beside float64 two lanes mean something", () => {
    const [x, y] = [Int32Array.from([-7, 8, -2147483648, 5, 9]), Int32Array.from([2, 0, -1, -3, 4])];
    expect([...np.add(lax.div(np.array(x), np.array(y)).astype("float64"), np.array([0.5, 0.5, 0.5, 0.5, 0.5])).data]).toEqual([-2.5, 0.5, -2147483647.5, -0.5, 2.5]);
  });
});
