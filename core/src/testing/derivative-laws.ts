import { type ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import { DerivativeError } from "../base/errors.js";
import { formatAval, sameType } from "../ir/aval.js";
import type { AnyPrimitive } from "../ir/primitive.js";
import * as np from "../numpy/index.js";
import { jit } from "../transforms/jit.js";
import { vmap } from "../transforms/vmap.js";
import { type CaseOptions, casesOf, moved, randomLike, type SmoothCase, smoothCase } from "./cases.js";
import { innerProduct, type Law, magnitude, requireNear, requireNearNumbers, violated } from "./law.js";
import { difference } from "./numerical.js";

type Arrays = readonly NDArray[];
type Mode = "fwd-over-rev" | "rev-over-fwd" | "rev-over-rev";

/** What the derivative laws need of an automatic differentiation: the package `@hessia/autodiff` has it. */
export interface DerivativeTransforms {
  jvp(f: (...x: NDArray[]) => NDArray[], primals: NDArray[], tangents: NDArray[]): [NDArray[], NDArray[]];
  vjp(f: (...x: NDArray[]) => NDArray[], ...primals: NDArray[]): [NDArray[], (cotangents: NDArray[]) => NDArray[]];
  grad(f: (...x: NDArray[]) => NDArray, options: { argnums: number[] }): (...x: NDArray[]) => NDArray[];
  hvp(f: (...x: NDArray[]) => NDArray, primals: NDArray[], tangents: NDArray[], options: { argnums: number[]; mode: Mode }): [NDArray[], NDArray[]];
}

const hasFloat32 = (c: SmoothCase, ys: Arrays): boolean => [...c.at, ...ys].some((x) => x.dtype === "float32");
/** Steps and bounds: through float32 values an eighth of a unit in the last place of the step is lost. */
const stepOf = (low: boolean) => (low ? { h: 0.05, tolerance: 3e-5, epsilon: 2 ** -23 } : { h: 1e-3, tolerance: 1e-8, epsilon: 2 ** -52 });

/** Inputs and directions are of order one: below this, differences are rounding errors of the steps. */
const smallest = 1e-6;

const flat = (xs: Arrays): Float64Array => {
  const out = new Float64Array(xs.reduce((n, x) => n + x.size, 0));
  let at = 0;
  for (const x of xs) {
    out.set(x.data, at);
    at += x.size;
  }
  return out;
};
const along = (f: (...x: NDArray[]) => Arrays, at: readonly ConcreteArray[], v: readonly ConcreteArray[]) => (t: number): Float64Array => flat(f(...at.map((x, i) => moved(x, v[i]!, t))));

/** The result, or undefined where the primitive says that it has no (forward) derivative. */
function orNone<T>(f: () => T): T | undefined {
  try {
    return f();
  } catch (e) {
    if (e instanceof DerivativeError) return undefined;
    throw e;
  }
}

/** A scalar with curvature even where `f` is linear: `sum(w y + w' y^2 / 2)`. */
function scalarized(c: SmoothCase): (...x: NDArray[]) => NDArray {
  const weights = c.f(...c.at).map((y) => [randomLike(y, c.random), randomLike(y, c.random)] as const);
  return (...x) => {
    const terms = c.f(...x).map((y, i) => np.sum(np.add(np.multiply(weights[i]![0], y), np.multiply(np.multiply(weights[i]![1], 0.5), np.square(y)))).astype("float64"));
    return terms.reduce((a, b) => np.add(a, b));
  };
}
const argnums = (c: SmoothCase): number[] => c.at.map((_, i) => i);

function law(name: string, primitive: AnyPrimitive, options: CaseOptions, check: (c: SmoothCase) => boolean): Law {
  return {
    name,
    check: () => {
      let count = 0;
      for (const c of casesOf(primitive, options)) {
        const smooth = smoothCase(c);
        if (smooth && check(smooth)) count++;
      }
      return count;
    },
  };
}

/** `jvp` gives the function's own values, and its tangents are those of central differences. */
export const jvpLaw = (primitive: AnyPrimitive, { jvp }: DerivativeTransforms, options: CaseOptions = {}): Law =>
  law("jvp equals central differences", primitive, options, (c) => {
    const v = c.at.map((x) => randomLike(x, c.random));
    const result = orNone(() => jvp(c.f, [...c.at], [...v]));
    if (!result) return false;
    const [ys, dys] = result;
    const values = c.f(...c.at);
    values.forEach((y, i) => requireNear(ys[i]!, y, { ofScale: 1e-13 }, `${c.name}: value ${i} under jvp`));
    const { h, tolerance, epsilon } = stepOf(hasFloat32(c, values));
    const numeric = difference(along(c.f, c.at, v), h, epsilon).value;
    const got = flat(dys);
    // Where the value is no number (a filled element), neither is the difference.
    const at = flat(values);
    const finite = numeric.map((d, i) => (Number.isFinite(at[i]!) ? d : got[i]!));
    const scale = Math.max(magnitude(got), magnitude(finite), magnitude(at.filter(Number.isFinite)), smallest);
    requireNearNumbers([...got, scale], [...finite, scale], { ofScale: tolerance }, `${c.name}: tangents`);
    return true;
  });

/** `<u, J v> = <J^T u, v>`. Where there is no forward rule, `J v` is taken by differences. */
export const adjointLaw = (primitive: AnyPrimitive, { jvp, vjp }: DerivativeTransforms, options: CaseOptions = {}): Law =>
  law("vjp is the adjoint of jvp", primitive, options, (c) => {
    const v = c.at.map((x) => randomLike(x, c.random));
    const values = c.f(...c.at);
    const u = values.map((y) => randomLike(y, c.random));
    const pulled = orNone(() => vjp(c.f, ...c.at)[1](u));
    if (!pulled) return false;
    pulled.forEach((x, i) => {
      if (!sameType(x.aval, c.at[i]!.aval)) violated(`${c.name}: cotangent ${i} is ${formatAval(x.aval)} for an input ${formatAval(c.at[i]!.aval)}`);
    });
    const pushed = orNone(() => jvp(c.f, [...c.at], [...v])[1]);
    const low = hasFloat32(c, values);
    const { h, epsilon } = stepOf(low);
    const jv = pushed ? flat(pushed) : difference(along(c.f, c.at, v), h, epsilon).value;
    const [left, right] = [innerProduct(flat(u), jv), innerProduct(flat(pulled), flat(v))];
    const size = Math.max(magnitude(jv) * u.reduce((n, x) => n + x.size, 0), magnitude(flat(pulled)) * v.reduce((n, x) => n + x.size, 0));
    requireNearNumbers([left, size], [right, size], { ofScale: low ? 1e-5 : pushed ? 1e-13 : 1e-8 }, `${c.name}: <u, J v> against <J' u, v>`);
    return true;
  });

const modes: readonly Mode[] = ["fwd-over-rev", "rev-over-fwd", "rev-over-rev"];

/** Hessian-vector products agree in all three compositions of modes, and `<w, H v> = <v, H w>`. */
export const hvpLaw = (primitive: AnyPrimitive, { hvp }: DerivativeTransforms, options: CaseOptions = {}): Law =>
  law("hvp is symmetric and equal in three modes", primitive, options, (c) => {
    const phi = scalarized(c);
    const [v, w] = [0, 1].map(() => c.at.map((x) => randomLike(x, c.random)));
    const product = (d: readonly ConcreteArray[], mode: Mode) => orNone(() => flat(hvp(phi, [...c.at], [...d], { argnums: argnums(c), mode })[1]));
    const near = { ofScale: hasFloat32(c, c.f(...c.at)) ? 1e-5 : 1e-10 };
    const results = modes.flatMap((mode) => {
      const hv = product(v!, mode);
      return hv ? [{ mode, hv }] : [];
    });
    if (results.length === 0) return false;
    const { mode, hv } = results[0]!;
    for (const other of results.slice(1)) requireNearNumbers(other.hv, hv, near, `${c.name}: hvp by ${other.mode} against ${mode}`);
    const hw = product(w!, mode)!;
    const scale = Math.max(magnitude(hv), magnitude(hw)) * hv.length;
    requireNearNumbers([innerProduct(flat(w!), hv), scale], [innerProduct(flat(v!), hw), scale], near, `${c.name}: <w, H v> against <v, H w>`);
    return true;
  });

/** Hessian-vector products are the differences of the gradient. */
export const hessianLaw = (primitive: AnyPrimitive, { grad, hvp }: DerivativeTransforms, options: CaseOptions = {}): Law =>
  law("the Hessian equals differences of the gradient", primitive, options, (c) => {
    const phi = scalarized(c);
    const v = c.at.map((x) => randomLike(x, c.random));
    const result = orNone(() => hvp(phi, [...c.at], [...v], { argnums: argnums(c), mode: "fwd-over-rev" }));
    if (!result) return false;
    const gradient = grad(phi, { argnums: argnums(c) });
    requireNearNumbers(flat(result[0]), flat(gradient(...c.at)), { ofScale: 1e-12 }, `${c.name}: gradient beside the hvp`);
    const { h, tolerance, epsilon } = stepOf(hasFloat32(c, c.f(...c.at)));
    const numeric = difference(along(gradient, c.at, v), h, epsilon).value;
    const hv = flat(result[1]);
    const scale = Math.max(magnitude(hv), magnitude(numeric), magnitude(flat(result[0])), smallest);
    requireNearNumbers([...hv, scale], [...numeric, scale], { ofScale: tolerance }, `${c.name}: H v`);
    return true;
  });

/** Third derivatives of elementwise functions, forward and reverse, are the differences of the second. */
export const thirdOrderLaw = (primitive: AnyPrimitive, { jvp, grad }: DerivativeTransforms, options: CaseOptions = {}): Law =>
  law("third derivatives equal differences of the second", primitive, options, (c) => {
    if (!primitive.facts.elementwise || hasFloat32(c, c.f(...c.at))) return false;
    const v = c.at.map((x) => randomLike(x, c.random));
    const push = (f: (...x: NDArray[]) => NDArray[]) => (...x: NDArray[]) => jvp(f, x, [...v])[1];
    const second = push(push(c.f));
    const third = orNone(() => flat(push(second)(...c.at)));
    if (!third) return false;
    const numeric = difference(along(second, c.at, v), 1e-3).value;
    const scale = Math.max(magnitude(third), magnitude(flat(second(...c.at))), smallest);
    requireNearNumbers([...third, scale], [...numeric, scale], { ofScale: 1e-7 }, `${c.name}: third derivative along a direction`);
    const u = c.f(...c.at).map((y) => randomLike(y, c.random));
    const weighted = (...x: NDArray[]) => second(...x).map((y, i) => np.sum(np.multiply(u[i]!, y))).reduce((a, b) => np.add(a, b));
    const reverse = innerProduct(flat(grad(weighted, { argnums: argnums(c) })(...c.at)), flat(v));
    const size = scale * third.length;
    requireNearNumbers([reverse, size], [innerProduct(flat(u), third), size], { ofScale: 1e-12 }, `${c.name}: third derivative in reverse`);
    return true;
  });

/** `vmap` of a gradient is the gradients of the examples. */
export const gradientVmapLaw = (primitive: AnyPrimitive, { grad }: DerivativeTransforms, options: CaseOptions = {}): Law =>
  law("vmap of the gradient equals a loop", primitive, { seeds: [1], ...options }, (c) => {
    const gradient = grad(scalarized(c), { argnums: argnums(c) });
    const examples = [0, 1, 2].map((k) => c.at.map((x) => (k === 0 ? x : moved(x, randomLike(x, c.random), 1e-3))));
    const single = orNone(() => examples.map((xs) => gradient(...xs)));
    if (!single) return false;
    const low = hasFloat32(c, c.f(...c.at));
    const together = vmap(gradient)(...c.at.map((_, i) => np.stack(examples.map((xs) => xs[i]!))));
    together.forEach((g, i) => requireNear(g, np.stack(single.map((s) => s[i]!)), { ofScale: low ? 1e-5 : 1e-12 }, `${c.name}: gradient ${i} under vmap`));
    return true;
  });

/** `jit` of a gradient, and the gradient of a jitted function, are the gradient. */
export const gradientJitLaw = (primitive: AnyPrimitive, { grad }: DerivativeTransforms, options: CaseOptions = {}): Law =>
  law("jit and grad commute", primitive, { seeds: [1], ...options }, (c) => {
    const phi = scalarized(c);
    const eager = orNone(() => grad(phi, { argnums: argnums(c) })(...c.at));
    if (!eager) return false;
    const near = { ofScale: hasFloat32(c, c.f(...c.at)) ? 1e-5 : 1e-12 };
    requireNearNumbers(flat(jit(grad(phi, { argnums: argnums(c) }))(...c.at)), flat(eager), near, `${c.name}: jit(grad)`);
    requireNearNumbers(flat(grad(jit(phi), { argnums: argnums(c) })(...c.at)), flat(eager), near, `${c.name}: grad(jit)`);
    return true;
  });

/**
 * The laws of a primitive's derivatives, for any test runner: jvp against differences, vjp against jvp, second order in three compositions
 * and against differences of the gradient, third order for elementwise functions, and gradients under `vmap` and `jit`. A primitive that is
 * not differentiable passes with zero cases.
 * @example
 * import * as autodiff from "@hessia/autodiff";
 * for (const law of derivativeLaws(softsign, autodiff)) test(law.name, async () => { await law.check(); });
 */
export const derivativeLaws = (primitive: AnyPrimitive, transforms: DerivativeTransforms, options: CaseOptions = {}): Law[] =>
  [jvpLaw, adjointLaw, hvpLaw, hessianLaw, thirdOrderLaw, gradientVmapLaw, gradientJitLaw].map((make) => make(primitive, transforms, options));
