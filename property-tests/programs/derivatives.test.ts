import { jit, type NDArray, np, vmap } from "@hessia/core";
import { grad, hvp, jvp } from "@hessia/autodiff";
import { ConcreteArray, evaluateProgram, getBackend, isFloat } from "@hessia/core/extend";
import { difference, moved, randomLike, requireNear, requireNearNumbers, seededRandom } from "@hessia/core/testing";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { everyday } from "../everyday.js";
import { randomProgram, type RandomProgram } from "./random-program.js";

everyday(30);
let compared = 0;
let inconclusive = 0;
let trivial = 0;

const flat = (xs: readonly NDArray[]): number[] => xs.flatMap((x) => Array.from(x.data));
const dot = (a: readonly NDArray[], b: readonly NDArray[]): number => flat(a).reduce((s, v, i) => s + v * flat(b)[i]!, 0);
const size = (xs: readonly NDArray[]): number => Math.max(...flat(xs).map(Math.abs), 0);

/** A scalar of the program's float results, with curvature. */
function scalar(p: RandomProgram, inputs: readonly ConcreteArray[]) {
  const random = seededRandom(7);
  const weights = evaluateProgram(p.program, inputs).map((y) => (isFloat(y.dtype) ? randomLike(y, random) : undefined));
  if (weights.every((w) => w === undefined)) return undefined;
  return (...moving: NDArray[]): NDArray => {
    const xs: NDArray[] = [...inputs];
    p.floats.forEach((at, k) => (xs[at] = moving[k]!));
    return evaluateProgram(p.program, xs).flatMap((y, i) => (weights[i] ? [np.sum(np.multiply(weights[i], np.add(y, np.multiply(0.5, np.square(y)))))] : [])).reduce((a, b) => np.add(a, b));
  };
}

/** Derivative along `v` by differences, or undefined where no step gives three digits (a kink nearby, or wild curvature). */
function numeric(g: (...xs: NDArray[]) => readonly NDArray[], at: readonly ConcreteArray[], v: readonly ConcreteArray[], scale: number) {
  for (const h of [1e-3, 1e-4]) {
    const d = difference((t) => flat(g(...at.map((x, i) => moved(x, v[i]!, t)))), h);
    if (d.error <= 1e-5 * scale) return { value: d.value, tolerance: 10 * d.error + 1e-9 * scale };
  }
  return undefined;
}

function derivativesAgree(p: RandomProgram): void {
  const wasm = p.inputs.map((x) => ConcreteArray.fromHost(x.data.slice(), x.aval, getBackend("wasm")));
  const phi = scalar(p, wasm);
  if (!phi) return void trivial++;
  const at = p.floats.map((i) => wasm[i]!);
  const random = seededRandom(11);
  const v = at.map((x) => randomLike(x, random));
  const argnums = at.map((_, i) => i);
  const gradient = grad(phi, { argnums }) as (...xs: NDArray[]) => NDArray[];
  const g = gradient(...at);
  const slope = dot(g, v);
  const value = Math.abs(phi(...at).item() as number);
  const scale = Math.max(size(g), value, 1e-3);
  if (!(scale < 1e6)) return void inconclusive++;
  // Forward and reverse.
  const pushed = jvp(phi, at, v)[1].item() as number;
  requireNearNumbers([pushed], [slope], { absolute: 1e-9 * scale }, "jvp against grad");
  const compiled = jit(phi);
  const first = numeric((...xs) => [compiled(...xs)], at, v, scale);
  if (first) {
    requireNearNumbers([slope], [first.value[0]!], { absolute: first.tolerance }, "grad against differences");
    compared++;
  } else inconclusive++;
  requireNearNumbers(flat((jit(gradient) as typeof gradient)(...at)), flat(g), { absolute: 1e-9 * scale }, "jit of grad");
  requireNearNumbers(flat(grad(compiled, { argnums })(...at) as NDArray[]), flat(g), { absolute: 1e-9 * scale }, "grad of jit");
  const near = at.map((x, i) => moved(x, v[i]!, 1e-7));
  const loop = [g, gradient(...near)];
  const together = vmap(gradient)(...at.map((x, i) => np.stack([x, near[i]!]))) as NDArray[];
  together.forEach((y, i) => requireNear(y, np.stack(loop.map((l) => l[i]!)), { absolute: 1e-9 * scale }, `vmap of grad, argument ${i}`));
  // Second order: three compositions, symmetry, differences of the gradient.
  const w = at.map((x) => randomLike(x, random));
  const product = (d: readonly NDArray[], mode: "fwd-over-rev" | "rev-over-fwd" | "rev-over-rev") => hvp(phi, at, [...d], { argnums, mode })[1] as NDArray[];
  const hv = product(v, "fwd-over-rev");
  const second = Math.max(size(hv), scale);
  if (!(second < 1e6)) return;
  for (const mode of ["rev-over-fwd", "rev-over-rev"] as const) requireNearNumbers(flat(product(v, mode)), flat(hv), { absolute: 1e-9 * second }, `hvp by ${mode}`);
  requireNearNumbers([dot(product(w, "fwd-over-rev"), v)], [dot(hv, w)], { absolute: 1e-8 * second }, "symmetry of the Hessian");
  const curvature = first && numeric(jit(gradient) as typeof gradient, at, v, second);
  if (curvature) requireNearNumbers(flat(hv), curvature.value, { absolute: curvature.tolerance }, "hvp against differences of the gradient");
}

/** Loops whose length a value decides have forward derivatives alone. */
function forwardAgrees(p: RandomProgram): void {
  const wasm = p.inputs.map((x) => ConcreteArray.fromHost(x.data.slice(), x.aval, getBackend("wasm")));
  const phi = scalar(p, wasm);
  if (!phi) return void trivial++;
  const at = p.floats.map((i) => wasm[i]!);
  const random = seededRandom(13);
  const [v, w] = [0, 1].map(() => at.map((x) => randomLike(x, random))) as [ConcreteArray[], ConcreteArray[]];
  const along = (d: ConcreteArray[], f: (...xs: NDArray[]) => NDArray) => (...xs: NDArray[]): NDArray => jvp(f, xs, d)[1];
  const slope = along(v, phi)(...at).item() as number;
  const scale = Math.max(Math.abs(slope), Math.abs(phi(...at).item() as number), 1e-3);
  if (!(scale < 1e6)) return void inconclusive++;
  const compiled = jit(phi);
  const first = numeric((...xs) => [compiled(...xs)], at, v, scale);
  if (first) {
    requireNearNumbers([slope], [first.value[0]!], { absolute: first.tolerance }, "jvp against differences");
    compared++;
  } else inconclusive++;
  const [vw, wv] = [along(w, along(v, phi)), along(v, along(w, phi))].map((f) => f(...at).item() as number) as [number, number];
  requireNearNumbers([vw], [wv], { absolute: 1e-9 * Math.max(scale, Math.abs(vw)) }, "mixed second derivatives");
  requireNearNumbers([jit(along(v, phi))(...at).item() as number], [slope], { absolute: 1e-9 * scale }, "jit of jvp");
}

describe("derivatives of random programs", () => {
  it("agree with differences and with each other", () => fc.assert(fc.property(randomProgram({ smooth: true, noWhile: true, maxSteps: 8 }), derivativesAgree)));
  it("go forward through while loops", () => fc.assert(fc.property(randomProgram({ smooth: true, maxSteps: 8 }), forwardAgrees)));
  it("are compared in most cases", () => expect(compared).toBeGreaterThan(inconclusive));
  afterAll(() => console.log(`derivatives of random programs: ${compared} compared with differences, ${inconclusive} near kinks or too curved to compare, ${trivial} without a float result`));
});
