import { grad, hessian, hvp, vjp } from "@hessia/autodiff";
import { jit, type NDArray, np, vmap } from "@hessia/core";
import { describe, expect, it } from "vitest";
import golden from "../fixtures/functions.json" with { type: "json" };
import exact from "../fixtures/mpmath.json" with { type: "json" };
import * as nn from "../index.js";

type Encoded = readonly (number | string)[];
const decode = (v: Encoded): number[] => v.map((e) => (typeof e === "number" ? e : e === "inf" ? Infinity : e === "-inf" ? -Infinity : NaN));
const flat = (x: NDArray): number[] => Array.from(np.ravel(x).toArray() as number[]);
function close(got: NDArray, want: Encoded, rtol = 1e-12, atol = 1e-15, skip: readonly number[] = []): void {
  const g = flat(got);
  const w = decode(want);
  expect(g.length).toBe(w.length);
  g.forEach((v, i) => {
    if (skip.includes(i) || Object.is(v, w[i]) || (Number.isNaN(v) && Number.isNaN(w[i]!))) return;
    expect(Math.abs(v - w[i]!), `element ${i}: got ${v}, want ${w[i]}`).toBeLessThanOrEqual(atol + rtol * Math.abs(w[i]!));
  });
}

const activations: Record<string, (x: NDArray) => NDArray> = {
  relu: nn.relu, relu6: nn.relu6, sigmoid: nn.sigmoid, softplus: nn.softplus, logSigmoid: nn.logSigmoid, silu: nn.silu, softSign: nn.softSign, elu: nn.elu,
  celu: (x) => nn.celu(x, 1.5), selu: nn.selu, geluTanh: nn.gelu, geluExact: (x) => nn.gelu(x, { approximate: false }), leakyRelu: nn.leakyRelu, hardTanh: nn.hardTanh,
  hardSigmoid: nn.hardSigmoid, hardSilu: nn.hardSilu, mish: nn.mish, squareplus: nn.squareplus, sparsePlus: nn.sparsePlus, sparseSigmoid: nn.sparseSigmoid,
};
const x = np.array(golden.x);
const zero = golden.x.indexOf(0);
const total = (f: (x: NDArray) => NDArray) => (v: NDArray): NDArray => f(v).sum();

describe("activations", () => {
  it("has a golden case for each", () => expect(Object.keys(activations).sort()).toEqual(Object.keys(golden.activations).sort()));

  it.each(Object.entries(activations))("%s: value, derivative and second derivative of jax.nn", (name, f) => {
    const want = golden.activations[name as keyof typeof golden.activations];
    close(f(x), want.value, 1e-12, 1e-15);
    close(grad(total(f))(x), want.grad, 1e-11, 1e-14);
    // Two kinks of the second derivative, where ours is the one-sided value from the left.
    const skip = name === "celu" || name === "softSign" ? [zero] : [];
    close(hvp(total(f), [x], [np.onesLike(x)])[1], want.second, 1e-8, 1e-13, skip);
  });

  it("keeps the relative accuracy of curvature far out, where 1 - s(x) would be 0", () => {
    const second = (f: (x: NDArray) => NDArray, at: number): number => grad(grad((v: NDArray) => f(v)))(np.array(at)).item() as number;
    const exact = 4.248354255291589e-18; // s(40) s(-40), mpmath
    for (const at of [40, -40]) expect(second(nn.softplus, at) / exact).toBeCloseTo(1, 12);
    expect(second(nn.logSigmoid, 40) / -exact).toBeCloseTo(1, 12);
  });

  it.each(Object.entries(activations))("%s: finite value, gradient and curvature at extreme inputs, in both floats", (_name, f) => {
    for (const [dtype, big] of [["float64", 1e200], ["float32", 1e30]] as const) {
      const far = np.array([-big, -1e15, -1e3, -101, -31, 31, 101, 1e3, 1e15, big, 0, -0], { dtype });
      for (const y of [f(far), grad(total(f))(far), hvp(total(f), [far], [np.onesLike(far)])[1]]) {
        expect(y.dtype).toBe(dtype);
        expect(flat(y).every(Number.isFinite), String(flat(y))).toBe(true);
      }
    }
  });

  it.each(Object.entries(activations))("%s: jit and vmap change nothing, NaN stays NaN", (_name, f) => {
    close(jit(f)(x), flat(f(x)), 1e-13, 1e-16);
    close(vmap(f)(x), flat(f(x)), 1e-13, 1e-16);
    expect(f(np.array(NaN)).item()).toBeNaN();
  });

  it("takes integers as the default float, and leaves float32", () => {
    expect(nn.relu(np.array([1, -1], { dtype: "int32" })).dtype).toBe("float64");
    expect(nn.gelu(np.array([1], { dtype: "float32" })).dtype).toBe("float32");
    expect(nn.swish).toBe(nn.silu);
  });

  it.each(Object.keys(exact))("%s: value, slope and curvature against 80 digits, from 1e-9 to 700", (name) => {
    const named: Record<string, (v: NDArray) => NDArray> = { ...activations, tanh: nn.tanh, logCosh: (v) => nn.logCosh(v), log1mexp: nn.log1mexp };
    const f = named[name]!;
    const slope = grad((v: NDArray) => f(v));
    const curvature = grad(slope);
    for (const [at, ...want] of exact[name as keyof typeof exact] as number[][])
      [f, slope, curvature].forEach((d, order) => {
        const got = d(np.array(at!)).item() as number;
        // Near 0 curvatures that vanish there are differences of numbers of size 1: hence the absolute part.
        expect(Math.abs(got - want[order]!), `derivative ${order} at ${at}: got ${got}, want ${want[order]}`).toBeLessThanOrEqual(1e-13 * Math.abs(want[order]!) + 1e-16);
      });
  });

  it("log1mexp is accurate on both sides of log 2", () => {
    close(nn.log1mexp(np.array(golden.log1mexp.x)), golden.log1mexp.value, 1e-13);
    expect(flat(grad(total(nn.log1mexp))(np.array([1e-5, 700]))).every(Number.isFinite)).toBe(true);
  });
});

const m = golden.matrix;
const at = (v: Encoded): NDArray => np.array(decode(v)).reshape(3, 4);
const [z, v, u] = [at(m.z), at(m.v), at(m.u)];
const w = np.array(m.where).reshape(3, 4).astype("bool");
const families: Record<string, (z: NDArray) => NDArray> = {
  softmax: (a) => nn.softmax(a), logSoftmax: (a) => nn.logSoftmax(a), softmax0: (a) => nn.softmax(a, 0), standardize: (a) => nn.standardize(a), glu: (a) => nn.glu(a),
  logsumexp: (a) => nn.logsumexp(a, -1), logmeanexp: (a) => nn.logmeanexp(a, -1), softmaxWhere: (a) => nn.softmax(a, -1, { where: w }),
  logsumexpWhere: (a) => nn.logsumexp(a, -1, { where: w }), logsumexpB: (a) => nn.logsumexp(a, -1, { b: np.abs(v) }),
};
describe("functions along an axis", () => {
  it.each(Object.entries(families))("%s: value, vjp and hvp of jax.nn", (name, f) => {
    const want = m[name as "softmax"];
    close(f(z), want.value, 1e-12, 1e-15);
    const y = f(z);
    const cotangent = np.ravel(u).get({ stop: y.size }).reshape(y.shape);
    const g = vjp(f, z)[1] as unknown as (c: NDArray) => readonly NDArray[];
    close(g(cotangent)[0]!, want.vjp, 1e-9, 1e-13);
    const scalar = (a: NDArray): NDArray => np.sum(np.multiply(cotangent, f(a)));
    close(hvp(scalar, [z], [v])[1], want.hvp, 1e-8, 1e-9);
  });

  it("the Hessian of logsumexp is diag(p) - p p^T, also with an element of -inf", () => {
    const a = np.array([-Infinity, 0, 1]);
    const p = flat(nn.softmax(a));
    const h = hessian((q: NDArray) => nn.logsumexp(q))(a);
    close(h, p.flatMap((pi, i) => p.map((pj, j) => (i === j ? pi : 0) - pi * pj)), 1e-12, 1e-15);
  });

  it("masks without NaN: -inf elements, groups without members, and their derivatives", () => {
    const a = np.array([[-Infinity, 0, 1], [2, 3, 4]]);
    const none = np.array([[1, 1, 1], [0, 0, 0]]).astype("bool");
    expect(flat(nn.softmax(a, -1, { where: none })).slice(3)).toEqual([0, 0, 0]);
    expect(flat(nn.logSoftmax(a, -1, { where: none })).slice(3)).toEqual([-Infinity, -Infinity, -Infinity]);
    for (const f of [(q: NDArray) => nn.softmax(q, -1, { where: none }).mul(a.shape[1]!).square().sum(), (q: NDArray) => nn.logSoftmax(q).get("...", 2).sum()])
      for (const y of [grad(f)(a), hvp(f, [a], [np.onesLike(a)])[1]]) expect(flat(y).every(Number.isFinite)).toBe(true);
    expect(nn.logsumexp(np.array([-Infinity, -Infinity])).item()).toBe(-Infinity);
  });

  it("returns the sign of weighted sums", () => {
    const [y, sign] = nn.logsumexp(np.array([0, 1]), null, { b: np.array([1, -1]), returnSign: true });
    expect(y.item()).toBeCloseTo(Math.log(Math.E - 1), 14);
    expect(sign.item()).toBe(-1);
    expect(nn.logsumexp(np.array([0, 1]), null, { b: np.array([1, -1]) }).item()).toBeNaN();
  });

  it("standardize gives zeros with finite derivatives for constant groups", () => {
    const c = np.full([4], 3);
    expect(flat(nn.standardize(c))).toEqual([0, 0, 0, 0]);
    expect(flat(hvp((q: NDArray) => nn.standardize(q).get(0), [c], [np.array([1, 2, 3, 4])])[1]).every(Number.isFinite)).toBe(true);
  });

  it("oneHot places classes, and zeros for indices outside", () => {
    expect(nn.oneHot(np.array([0, 2, 3, -1], { dtype: "int32" }), 3).toArray()).toEqual([[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]);
    expect(nn.oneHot(np.array([0, 1], { dtype: "int32" }), 3, { axis: 0, dtype: "float32" }).shape).toEqual([3, 2]);
  });

  it("names a bad axis", () => expect(() => nn.softmax(np.ones([2]), 1)).toThrow(/\[hessia:axis\] softmax\(axis\)/));
});
