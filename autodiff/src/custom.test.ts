import { jit, type NDArray, np, scan, vmap } from "@hessia/core";
import { bind1, definePrimitive, type NoParams, type Primitive, scalar } from "@hessia/core/extend";
import { describe, expect, it } from "vitest";
import { defineDerivative, elementwise, instantiate } from "./extend.js";
import { expectClose } from "./fixtures/compare.js";
import { checkGrads, checkpoint, customJvp, customVjp, grad, hessian, hvp, jacfwd, jacrev, jvp, linearize, printSavedResiduals, remat, savedResiduals, vjp } from "./index.js";

const x = np.array([0.5, 1.5]);
const batch = np.stack([x, x.neg(), x.mul(2)]);
type F = (v: NDArray) => NDArray;

/** Every way of differentiating must see the rule, and see it through other transforms. */
const reverseTransforms: Record<string, (f: F) => unknown> = {
  value: (f) => f(x),
  grad: (f) => grad(f)(x),
  "jit of grad": (f) => jit(grad(f))(x),
  "grad of jit": (f) => grad(jit(f))(x),
  "vmap of grad": (f) => vmap(grad(f))(batch),
  "grad of vmap": (f) => grad((y: NDArray) => np.sum(vmap((z: NDArray, s: NDArray) => f(z).mul(s), { inAxes: [null, 0] })(y, x)))(x),
  "grad of vmap over its argument": (f) => grad((y: NDArray) => np.sum(vmap(f)(y).mul(np.array([1, 2, 3]))))(batch),
  "vmap of jit of grad": (f) => vmap(jit(grad(f)))(batch),
  "grad of scan": (f) => grad((y: NDArray) => scan((c: NDArray, u: NDArray) => [c.mul(f(y.mul(u))), null], np.array(1), x)[0])(x),
  hessian: (f) => hessian(f)(x),
  "jit of hessian": (f) => jit(hessian(f))(x),
  "hessian of jit": (f) => hessian(jit(f))(x),
  "vmap of hessian": (f) => vmap(hessian(f))(batch),
  "reverse over reverse": (f) => jacrev(jacrev(f))(x),
  "third order": (f) => jacrev(jacrev(jacrev(f)))(x),
  "hessian of checkpoint": (f) => hessian(checkpoint(f))(x),
};
const forwardTransforms: Record<string, (f: F) => unknown> = {
  jvp: (f) => jvp(f, [x], [x])[1],
  "jvp of jit": (f) => jvp(jit(f), [x], [x])[1],
  "jvp of vmap": (f) => jvp(vmap(f), [batch], [batch])[1],
  "forward over forward": (f) => jacfwd(jacfwd(f))(x),
  linearize: (f) => linearize(f, x)[1](x),
  "reverse over forward": (f) => jacrev(jacfwd(f))(x),
  "hvp by reverse over forward": (f) => hvp(f, [x], [x], { mode: "rev-over-fwd" }),
};

describe("customJvp", () => {
  const softplus = customJvp(function softplus(v: NDArray) { return np.log1p(np.exp(v)); });
  softplus.defJvp(([v], [dv]) => [softplus(v), np.divide(dv, np.add(1, np.exp(v.neg())))]);
  const f: F = (v) => np.sum(softplus(v).mul(v));
  const plain: F = (v) => np.sum(np.log1p(np.exp(v)).mul(v));
  for (const [name, t] of Object.entries({ ...reverseTransforms, ...forwardTransforms })) it(name, () => expectClose(t(f), t(plain)));

  it("the rule is used: it may differ from the function", () => {
    const straight = customJvp((v: NDArray) => np.round(v)).defJvp(([v], [dv]) => [np.round(v), dv]);
    for (const g of [straight, jit(straight), vmap(straight)] as F[]) expectClose(grad((v: NDArray) => np.sum(g(v).mul(v)))(x), np.round(x).add(x));
  });
  it("trees, several arguments, integers, branches on values in the rule", () => {
    const f2 = customJvp((p: { a: NDArray }, n: NDArray) => ({ y: p.a.mul(n) }));
    f2.defJvp(([p, n], [dp, dn]) => {
      expect(dn).toBeNull();
      return [f2(p, n), { y: Number(np.sum(p.a)) > 0 ? dp.a.mul(n) : dp.a.mul(0) }];
    });
    const g = (s: number) => grad((a: NDArray) => np.sum(f2({ a: a.mul(s) }, np.array([1, 2], { dtype: "int32" })).y))(x);
    expectClose([g(1), g(-1)], [[1, 2], [0, 0]]);
  });
  it("nondiff arguments come first", () => {
    const power = customJvp((n: number, v: NDArray) => v.pow(n), { nondiffArgnums: 0 });
    power.defJvp((n: number, [v]: [NDArray], [dv]: [NDArray]) => [power(n, v), dv.mul(v.pow(n - 1)).mul(n)]);
    expectClose(grad((v: NDArray) => np.sum(power(3, v)))(x), x.pow(2).mul(3));
    expectClose(grad(jit((v: NDArray) => np.sum(power(3, v))))(x), x.pow(2).mul(3));
  });
  it("symbolic zeros", () => {
    const seen: boolean[] = [];
    const product = customJvp((a: NDArray, b: NDArray) => a.mul(b), { symbolicZeros: true });
    product.defJvp(([a, b], [da, db]) => {
      seen.push((db as NDArray | null) === null);
      return [product(a, b), (db as NDArray | null) === null ? da.mul(b) : da.mul(b).add(a.mul(db))];
    });
    expectClose(grad((a: NDArray) => np.sum(product(a, x.mul(3))))(x), x.mul(3));
    expectClose(grad((a: NDArray) => np.sum(product(a, a)))(x), x.mul(2));
    expect(seen).toEqual([true, false]);
  });
  it("says what is wrong with a rule", () => {
    const of = (rule: (v: NDArray, dv: NDArray) => unknown) => {
      const g = customJvp(function mine(v: NDArray) { return v.mul(2); }).defJvp(([v], [dv]) => [v.mul(2), rule(v, dv) as NDArray]);
      return () => grad((v: NDArray) => np.sum(g(v)))(x);
    };
    expect(of((_, dv) => np.add(dv, 1))).toThrow(/linear in the tangents.*affine/);
    expect(of((_, dv) => dv.mul(dv))).toThrow(/product of two tangents/);
    expect(of((_, dv) => np.sin(dv))).toThrow(/"sin", which is not linear/);
    expect(of((v) => v)).toThrow(/linear in the tangents/);
    expect(of(() => np.ones([3]))).toThrow(/mine\(tangent of the output\).*shape \[2\].*got \[3\]/);
    expect(of(() => ({ a: x }))).toThrow(/mine\(tangent of the output\)/);
    expect(() => grad((v: NDArray) => np.sum(customJvp((w: NDArray) => w)(v)))(x)).toThrow(/defJvp/);
    expect(() => grad((v: NDArray) => np.sum(customJvp((w: NDArray) => w).defJvp((() => 3) as never)(v)))(x)).toThrow(/pair/);
  });
});

describe("customVjp", () => {
  const cube = customVjp(function cube(v: NDArray) { return v.mul(v).mul(v); }, {
    fwd: (v: NDArray) => [v.mul(v).mul(v), { v, note: "text" }],
    bwd: ({ v, note }: { v: NDArray; note: string }, u: NDArray) => (expect(note).toBe("text"), [u.mul(v).mul(v).mul(3)]),
  });
  const f: F = (v) => np.sum(cube(v).mul(v));
  const plain: F = (v) => np.sum(v.pow(4));
  for (const [name, t] of Object.entries(reverseTransforms)) it(name, () => expectClose(t(f), t(plain)));
  it("both hvp modes that go backwards first", () => {
    for (const mode of ["fwd-over-rev", "rev-over-rev"] as const) expectClose(hvp(f, [x], [x], { mode }), hvp(plain, [x], [x]));
  });
  it("forward mode is a named error", () => {
    for (const name of ["jvp", "jvp of jit", "forward over forward", "linearize"]) expect(() => forwardTransforms[name]!(f), name).toThrow(/cube.*forward mode.*customJvp/);
  });
  it("the rule is used: gradients clipped on the way back", () => {
    const clipped = customVjp((v: NDArray) => v, { fwd: (v: NDArray) => [v, null], bwd: (_: null, u: NDArray) => [np.clip(u, -1, 1)] });
    for (const g of [clipped, jit(clipped), vmap(clipped)] as F[]) expectClose(grad((v: NDArray) => np.sum(g(v).mul(np.array([0.5, 7]))))(x), [0.5, 1]);
  });
  it("several arguments, null for zero, defVjp, nondiff arguments", () => {
    const g = customVjp((n: number, a: NDArray, p: { b: NDArray }) => a.mul(p.b).mul(n), { nondiffArgnums: 0 });
    g.defVjp((n: number, a: NDArray, p: { b: NDArray }) => [g(n, a, p), a], (n: number, a: NDArray, u: NDArray) => [null, { b: u.mul(a).mul(n) }]);
    const [ga, gb] = grad((a: NDArray, b: NDArray) => np.sum(g(3, a, { b })), { argnums: [0, 1] })(x, x);
    expectClose([ga, gb], [[0, 0], x.mul(3)]);
  });
  it("checks what bwd gives", () => {
    const of = (bwd: (r: null, u: NDArray) => unknown) => () => grad((v: NDArray) => np.sum(customVjp((w: NDArray) => w, { fwd: (w: NDArray) => [w, null], bwd: bwd as never })(v)))(x);
    expect(of((_, u) => u)).toThrow(/array of 1 cotangent/);
    expect(of((_, u) => [u, u])).toThrow(/array of 1 cotangent/);
    expect(of(() => [np.ones([3])])).toThrow(/result of bwd\[0\].*shape \[2\]/);
    expect(of(() => [{ a: x }])).toThrow(/result of bwd\[0\]/);
    expect(of((_, u) => [u.astype("float32")])).toThrow(/float64.*float32/);
  });
});

describe("checkpoint", () => {
  const deep: F = (v) => {
    let y = v;
    for (let i = 0; i < 6; i++) y = np.tanh(y.mul(1.3)).add(v);
    return np.sum(y);
  };
  const two = (c: typeof checkpoint | ((g: F) => F)): F => (v) => np.sum((c as (g: F) => F)((w) => np.sin(np.exp(w)))((c as (g: F) => F)((w) => np.cos(w.mul(w)))(v)));
  for (const [name, t] of Object.entries({ ...reverseTransforms, ...forwardTransforms }))
    it(name, () => {
      expectClose(t(checkpoint(deep)), t(deep));
      expectClose(t(two(checkpoint)), t(two((g: F) => g)));
    });
  it("keeps its inputs only", () => {
    const y = np.ones([50]);
    expect(savedResiduals(deep, y).length).toBeGreaterThan(6);
    expect(savedResiduals(checkpoint(deep), y).map((r) => r.shape)).toEqual([[50]]);
    expect(printSavedResiduals(checkpoint(deep), y)).toBe("float64[50] argument[0]");
    expect(savedResiduals(two(remat), y)).toHaveLength(2);
    // In a loop too: one stack of carries, however deep the body.
    const loop = (body: F): F => (v) => np.sum(scan((c: NDArray, _u: NDArray) => [body(c), null], v, np.ones([7]))[0]);
    const body: F = (v) => np.sin(np.exp(np.tanh(np.sin(v))));
    const stacks = (g: F) => savedResiduals(g, y).filter((r) => r.shape.length === 2).length;
    expect(stacks(loop(body))).toBeGreaterThan(3);
    expect(stacks(loop(checkpoint(body)))).toBeLessThanOrEqual(1);
    expectClose(grad(loop(checkpoint(body)))(x), grad(loop(body))(x));
  });
  it("recomputes when cotangents come back, not before", () => {
    const [y, pull] = vjp(checkpoint(deep), x);
    expectClose(y, deep(x));
    expectClose(pull(np.array(1))[0], grad(deep)(x));
  });
});

describe("a third party's primitive, with its derivative in one file", () => {
  const { binary, constant, unary } = scalar;
  const softsign: Primitive<NoParams> = definePrimitive({
    name: "test.softsign", elementwise: true,
    abstractEval: ([t]) => t!,
    batch: (_n, [v], [d]) => ({ outputs: [bind1(softsign, [v!], {})], dims: [d!] }),
    lower: (_ctx, [v]) => [{ ...v!, expr: binary("div", v!.expr, binary("add", constant(v!.dtype, 1), unary("abs", v!.expr))) }],
  });
  defineDerivative(softsign, elementwise((v) => np.divide(1, np.square(np.add(1, np.abs(v))))));
  it("has all transforms", () => {
    const f: F = (v) => bind1(softsign, [v], {});
    checkGrads(f, [batch], { order: 3, rtol: 1e-5, atol: 1e-5 });
    expectClose(jit(vmap(hessian((v: NDArray) => np.sum(f(v)))))(batch), vmap(hessian((v: NDArray) => np.sum(v.div(np.add(1, np.abs(v))))))(batch));
    expect(() => defineDerivative(softsign, elementwise((v) => v))).toThrow(/a second one/);
    expect(instantiate).toBeTypeOf("function");
  });
  it("without a rule the error says what to do", () => {
    const bare = definePrimitive({ name: "test.bare", abstractEval: ([t]) => t!, lower: (_ctx, [v]) => [v!] });
    expect(() => grad((v: NDArray) => np.sum(bind1(bare, [v], {})))(x)).toThrow(/jvp rule for the primitive "test.bare"/);
  });
});
