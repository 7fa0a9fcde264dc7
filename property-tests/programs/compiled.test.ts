import { jit, type NDArray, np, vmap } from "@hessia/core";
import { hessian, hessianDiag, hvp, jacrev, grad } from "@hessia/autodiff";
import { ConcreteArray, evaluateProgram, getBackend, isFloat } from "@hessia/core/extend";
import { randomLike, requireNear, requireNearNumbers, seededRandom } from "@hessia/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { everyday, fuzzing } from "../everyday.js";
import { type Kind, randomProgram, type RandomProgram } from "./random-program.js";

// A few each day; `npm run fuzz` sets its own bounds.
everyday(10);
const few = (n: number): { numRuns?: number } => (fuzzing ? {} : { numRuns: n });
const onWasm = (xs: readonly NDArray[]): ConcreteArray[] => xs.map((x) => ConcreteArray.fromHost(x.data.slice(), x.aval, getBackend("wasm")));

/** In every bit but those of a NaN. */
function requireSame(got: NDArray, want: NDArray, what: string): void {
  requireNear(got, want, {}, what);
  const signs = (x: NDArray): number[] => Array.from(x.data, (v) => (Object.is(v, -0) ? -1 : 1));
  expect(signs(got), `${what}: signs of zeros`).toEqual(signs(want));
}

/** Compiled, with arguments given away and without, what the reference made step by step. */
const compiledAgrees = ({ exact = false }: Kind) => (p: RandomProgram): void => {
  const run = (...xs: NDArray[]): NDArray[] => evaluateProgram(p.program, xs);
  const same = (got: readonly NDArray[], what: string) => got.forEach((y, i) => {
    if (exact) requireSame(y, p.expected[i]!, `result ${i} ${what}`);
    else requireNear(y, p.expected[i]!, { ofScale: p.tolerance }, `result ${i} ${what}`);
  });
  same(jit(run)(...onWasm(p.inputs)), "under jit");
  const giving = jit(run, { donateArgnums: p.inputs.map((_, i) => i) });
  for (const time of ["first", "second"]) same(giving(...onWasm(p.inputs)), `of arguments given away, the ${time} time`);
};

describe("compiled random programs", () => {
  it("of sizes around those of vectors and blocks", () => fc.assert(fc.property(randomProgram({ wide: true }), compiledAgrees({})), few(6)));
  it("of such sizes in float32", () => fc.assert(fc.property(randomProgram({ wide: true, float32: true }), compiledAgrees({})), few(6)));
  it("of NaN, infinities, -0 and the ends of integers, bit by bit", () => fc.assert(fc.property(randomProgram({ exact: true, maxSteps: 18 }), compiledAgrees({ exact: true })), few(25)));
  it("of such values and sizes, with float32", () => fc.assert(fc.property(randomProgram({ exact: true, wide: true, float32: true }), compiledAgrees({ exact: true })), few(8)));
});

const maxVariables = 60;
const flat = (x: NDArray): number[] => Array.from(x.data);

/** Hessians, whose zeros the compiler knows, against products with single directions, for which it knows none. */
function hessiansAgree(p: RandomProgram): void {
  const wasm = onWasm(p.inputs);
  const random = seededRandom(7);
  const weights = evaluateProgram(p.program, wasm).map((y) => (isFloat(y.dtype) ? randomLike(y, random) : undefined));
  const at = p.floats.map((i) => wasm[i]!);
  const sizes = at.map((x) => x.size);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (weights.every((w) => w === undefined) || total === 0 || total > maxVariables) return;
  const phi = (...moving: NDArray[]): NDArray => {
    const xs: NDArray[] = [...wasm];
    p.floats.forEach((i, k) => (xs[i] = moving[k]!));
    return evaluateProgram(p.program, xs).flatMap((y, i) => (weights[i] ? [np.sum(np.multiply(weights[i], np.add(y, np.multiply(0.5, np.square(y)))))] : [])).reduce((a, b) => np.add(a, b));
  };
  const argnums = at.map((_, i) => i);
  const second = hessian(phi, { argnums }) as (...xs: NDArray[]) => NDArray[][];
  const blocks = jit(second)(...at);
  const scale = Math.max(1e-3, ...blocks.flat().flatMap(flat).map(Math.abs));
  if (!(scale < 1e6)) return;
  const near = { absolute: 1e-9 * scale };
  const product = jit((...vs: NDArray[]) => hvp(phi, at, vs, { argnums })[1] as NDArray[]);
  const directions = sizes.flatMap((n, k) => Array.from({ length: n }, (_, j) => [k, j] as const));
  for (let d = 0; d < directions.length; d += Math.max(1, Math.floor(directions.length / 6))) {
    const [k, j] = directions[d]!;
    const unit = at.map((x, i) => np.array(Float64Array.from({ length: x.size }, (_, e) => (i === k && e === j ? 1 : 0))).reshape(x.shape));
    product(...unit).forEach((column, i) => requireNearNumbers(Array.from({ length: sizes[i]! }, (_, r) => blocks[i]![k]!.data[r * sizes[k]! + j]!), flat(column), near, `column ${j} of block ${i}, ${k}`));
  }
  const compare = (what: string, other: readonly (readonly NDArray[])[], value: (x: NDArray) => NDArray = (x) => x) =>
    other.forEach((row, i) => row.forEach((y, k) => requireNearNumbers(flat(value(y)), flat(blocks[i]![k]!), near, `${what}, block ${i}, ${k}`)));
  compare("jacrev of grad", jit(jacrev(grad(phi, { argnums }) as (...xs: NDArray[]) => NDArray[], { argnums }))(...at) as unknown as NDArray[][]);
  compare("vmap", jit(vmap(second))(...at.map((x) => np.stack([x, x, x]))), (y) => y.get(1));
  const diagonals = jit(hessianDiag(phi, { argnums }) as (...xs: NDArray[]) => NDArray[])(...at);
  diagonals.forEach((y, i) => requireNearNumbers(flat(y), Array.from({ length: sizes[i]! }, (_, r) => blocks[i]![i]!.data[r * sizes[i]! + r]!), near, `diagonal ${i}`));
}

it("Hessians of random programs have the columns that products with directions give", () => fc.assert(fc.property(randomProgram({ smooth: true, noWhile: true, maxSteps: 8 }), hessiansAgree), few(3)));
