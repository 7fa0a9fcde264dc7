import { DerivativeError, DTypeError, jit, NDArray, np, registerPytree, ShapeDtype, ShapeError, TreeError, vmap, withDevice } from "@hessia/core";
import { describe, expect, it } from "vitest";
import { expectClose } from "./fixtures/compare.js";
import { grad, hessian, hessianDiag, hvp, jacrev, jvp, linearize, linearizeWithAux, linearTranspose, stopGradient, valueAndGrad, vjp, vjpWithAux } from "./index.js";

const x = np.array([0.3, 1.2, -0.7]);
const int = (v: number[]) => np.array(v, { dtype: "int32" });

describe("grad", () => {
  it("differentiates numbers, arrays and trees", () => {
    expectClose(grad((a: number | NDArray) => np.power(a as NDArray, 3))(2), 12);
    expectClose(grad((v: NDArray) => np.sum(np.sin(v)))(x), np.cos(x));
    const g = grad((p: { w: NDArray; b: readonly [NDArray, NDArray] }) => np.sum(p.w.mul(p.b[0])).add(np.sum(p.b[1])))({ w: x, b: [x.mul(2), np.ones([2, 2])] });
    expectClose(g.w, x.mul(2));
    expectClose(g.b, [x, np.ones([2, 2])]);
  });
  it("goes through registered classes", () => {
    class Point {
      constructor(readonly x: NDArray, readonly y: NDArray) {}
    }
    registerPytree(Point, { flatten: (p) => ({ children: [p.x, p.y], meta: null }), unflatten: (_, [a, b]) => new Point(a as NDArray, b as NDArray) });
    const g = grad((p: Point) => np.sum(p.x.mul(p.y)))(new Point(x, x.neg())) as unknown as Point;
    expect(g).toBeInstanceOf(Point);
    expectClose(g.x, x.neg());
  });
  it("argnums: one, negative, several", () => {
    const f = (a: NDArray, s: string, b: NDArray) => np.sum(a.mul(b).mul(b)).mul(s === "twice" ? 2 : 1);
    expectClose(grad(f)(x, "twice", x), x.mul(x).mul(2));
    expectClose(grad(f, { argnums: -1 })(x, "once", x), x.mul(x).mul(2));
    const [a, b] = grad(f, { argnums: [0, 2] })(x, "once", x);
    expectClose(a, x.mul(x));
    expectClose(b, x.mul(x).mul(2));
    expect(() => grad(f, { argnums: 3 as never })(x, "once", x)).toThrow(/argnums.*from -3 to 2, for a call with 3 arguments, got 3/);
    expect(() => grad(f, { argnums: [0, -3] as never })(x, "once", x)).toThrow(/each position once/);
  });
  it("hasAux passes anything on, without tracers", () => {
    const [g, aux] = grad((v: NDArray) => [np.sum(v.mul(v)), { twice: v.mul(2), n: 3, s: "text" }] as const, { hasAux: true })(x);
    expectClose(g, x.mul(2));
    expect(aux.n).toBe(3);
    expect(aux.s).toBe("text");
    expectClose(aux.twice, x.mul(2));
    expectClose(aux.twice.add(1), x.mul(2).add(1));
    const [[value, rest], g2] = valueAndGrad((v: NDArray) => [np.sum(v), v] as const, { hasAux: true })(x);
    expectClose([value, rest, g2], [np.sum(x), x, np.ones([3])]);
    expect(() => grad((v: NDArray) => np.sum(v) as never, { hasAux: true })(x)).toThrow(/\[output, aux\]/);
  });
  it("JavaScript branches and loops on values", () => {
    const f = (v: NDArray): NDArray => {
      let y = v;
      while (Number(y) < 100) y = y.mul(y);
      return Number(v) > 2 ? y : y.neg();
    };
    expectClose(grad(f)(np.array(3)), 8 * 3 ** 7);
    expectClose(grad(grad(f))(np.array(3)), 56 * 3 ** 6);
  });
  it("runs the function once", () => {
    let runs = 0;
    valueAndGrad((v: NDArray) => (runs++, np.sum(v.mul(v))))(x);
    expect(runs).toBe(1);
  });
  it("keeps the dtype, and gives zeros where nothing depends", () => {
    const g = grad((a: NDArray, _b: NDArray) => np.sum(a), { argnums: [0, 1] })(x.astype("float32"), x);
    expect(g[0].dtype).toBe("float32");
    expectClose(g[1], np.zeros([3]));
  });
});

it("constants of derivatives are made where the arrays are", () => {
  const y = withDevice("reference", () => np.array([1, 2, 3]));
  const f = (v: NDArray) => np.sum(np.tanh(v.mul(2)).mul(np.maximum(v, 2)));
  for (const d of [grad(f)(y), hessian(f)(y), jit(hessian(f))(y), hvp(f, [y], [y])[1], jacrev(f)(y), hessianDiag(f)(y), vjp(f, y)[1](withDevice("reference", () => np.array(1)))[0], grad((a: NDArray, b: NDArray) => np.sum(a.mul(stopGradient(b))), { argnums: [0, 1] })(y, y)[1]])
    expect(d.device).toBe("reference");
});

describe("order", () => {
  it("sixth derivatives through mixed transforms", () => {
    let f: (v: NDArray) => NDArray = (v) => np.sin(v);
    for (let k = 0; k < 6; k++) {
      const inner = f;
      f = k % 3 === 0 ? grad(inner) : k % 3 === 1 ? (v) => jvp(inner, [v], [1])[1] : jit(grad(inner));
    }
    expectClose(f(np.array(0.4)), -Math.sin(0.4));
  });
  it("vmap of the fourth derivative", () => {
    const d4 = grad(grad(grad(grad((v: NDArray) => np.exp(v).mul(v)))));
    expectClose(vmap(d4)(x), np.exp(x).mul(x.add(4)));
  });
  it("perturbations are not confused", () => {
    // Siskind and Pearlmutter 2005: d/dx (x d/dy (x + y)) = 1.
    expectClose(grad((a: NDArray) => a.mul(grad((b: NDArray) => a.add(b))(np.array(1))))(np.array(1)), 1);
    expectClose(jvp((a: NDArray) => a.mul(jvp((b: NDArray) => a.add(b), [np.array(1)], [1])[1]), [np.array(1)], [1])[1], 1);
    expectClose(grad((a: NDArray) => grad((b: NDArray) => a.mul(b).mul(b))(a).mul(a))(np.array(3)), 2 * 3 * 9);
    expectClose(jvp((a: NDArray) => grad((b: NDArray) => a.mul(a).mul(b))(a), [np.array(3)], [1])[1], 6);
  });
});

describe("jvp", () => {
  it("gives value and tangent in one pass", () => {
    const [y, dy] = jvp((a: NDArray, b: NDArray) => ({ s: a.mul(b) }), [x, x], [x, null as never].map(() => np.ones([3])) as never) as unknown as [{ s: NDArray }, { s: NDArray }];
    expectClose(y.s, x.mul(x));
    expectClose(dy.s, x.mul(2));
  });
  it("integers have no tangent", () => {
    const [, [a, b]] = jvp((v: NDArray, n: NDArray) => [v.mul(n), n] as const, [x, int([1, 2, 3])], [np.ones([3]), null]) as unknown as [unknown, [NDArray, null]];
    expectClose(a, [1, 2, 3]);
    expect(b).toBeNull();
  });
  it("passes aux", () => {
    const [, t, aux] = jvp((v: NDArray) => [v.mul(2), v] as const, [x], [x], { hasAux: true });
    expectClose([t, aux], [x.mul(2), x]);
  });
  it("checks tangents: structure, shape, dtype, each by itself", () => {
    const f = (p: { a: NDArray }) => p.a;
    expect(() => jvp(f, [{ a: x }], [{ b: x } as never])).toThrow(TreeError);
    expect(() => jvp(f, [{ a: x }], [{ a: np.ones([2]) }])).toThrow(/tangents\[0\]\.a.*shape \[3\].*got \[2\]/);
    expect(() => jvp(f, [{ a: x }], [{ a: np.ones([2]) }])).toThrow(ShapeError);
    expect(() => jvp(f, [{ a: x }], [{ a: x.astype("float32") }])).toThrow(/dtype float64.*got float32/);
    expect(() => jvp(f, [{ a: x }], [{ a: null }])).toThrow(/only integers and bools take null/);
    expect(() => jvp((n: NDArray) => n, [int([1])], [np.ones([1])])).toThrow(/null, because a value of dtype int32/);
    expect(() => jvp(f as never, x as never, x as never)).toThrow(/jvp\(f, \[x\], \[v\]\)/);
  });
});

describe("vjp, linearize, linearTranspose", () => {
  it("the pullback may be called often, and not after dispose", () => {
    const [y, pull] = vjp((a: NDArray, n: NDArray) => a.mul(a).mul(n), x, int([1, 2, 3]));
    expectClose(y, x.mul(x).mul(np.array([1, 2, 3])));
    for (const u of [np.ones([3]), x]) {
      const [ca, cn] = pull(u);
      expectClose(ca, x.mul(2).mul(np.array([1, 2, 3])).mul(u));
      expect(cn).toBeNull();
    }
    expect(() => pull(np.ones([2]))).toThrow(ShapeError);
    expect(() => pull(x.astype("float32"))).toThrow(DTypeError);
    expect(() => pull({ a: x } as never)).toThrow(TreeError);
    pull.dispose();
    expect(() => pull(x)).toThrow(/disposed/);
  });
  it("linearize runs the function once and applies the derivative often", () => {
    let runs = 0;
    const [y, df] = linearize((v: NDArray) => (runs++, np.sin(v)), x);
    expectClose(y, np.sin(x));
    expectClose(df(x), np.cos(x).mul(x));
    expectClose(vmap((v: NDArray) => df(v))(np.eye(3)), np.diag(np.cos(x)));
    expect(runs).toBe(1);
    expectClose(linearizeWithAux((v: NDArray) => [v, v.mul(2)] as const, x)[2], x.mul(2));
    expectClose(vjpWithAux((v: NDArray) => [v, v.mul(2)] as const, x)[2], x.mul(2));
  });
  it("transposes linear functions, and only those", () => {
    const A = np.arange(6).reshape([2, 3]).astype("float64");
    const t = linearTranspose((v: NDArray) => np.matmul(A, v), new ShapeDtype([3], "float64"));
    expectClose(t(np.array([1, 2]))[0], [6, 9, 12]);
    expectClose(linearTranspose(jit((v: NDArray) => np.matmul(A, v).mul(2)), x)(np.array([1, 2]))[0], [12, 18, 24]);
    expect(() => linearTranspose((v: NDArray) => np.sin(v), x)).toThrow(/linearTranspose\(f\).*linear in all its arguments.*sin/);
    expect(() => linearTranspose((v: NDArray) => v.mul(v), x)).toThrow(DerivativeError);
    expect(() => linearTranspose((v: NDArray) => v.add(1), x)(x)).toThrow(DerivativeError);
    expect(() => linearTranspose((v: NDArray) => v, int([1]))).toThrow(/\[0\].*int32\[1\]/);
  });
  it("pullbacks work inside other transforms", () => {
    const f = (v: NDArray): NDArray => {
      const [, pull] = vjp((w: NDArray) => np.sin(w).mul(v), v);
      return pull(np.ones([3]))[0];
    };
    expectClose(jit(f)(x), np.cos(x).mul(x));
    expectClose(grad((v: NDArray) => np.sum(f(v)))(x), np.cos(x).sub(np.sin(x).mul(x)));
  });
});

describe("stopGradient", () => {
  it("is the identity without derivative, on trees", () => {
    expectClose(grad((v: NDArray) => np.sum(v.mul(stopGradient({ v, n: 1 }).v)))(x), x);
    expectClose(grad(jit((v: NDArray) => np.sum(v.mul(stopGradient(v)))))(x), x);
    expectClose(jvp((v: NDArray) => stopGradient(v.mul(2)), [x], [x]), [x.mul(2), np.zeros([3])]);
    expect(stopGradient(int([1]))).toBeInstanceOf(NDArray);
  });
});

describe("errors of grad", () => {
  it("outputs that are no scalar floats", () => {
    expect(() => grad((v: NDArray) => v)(x)).toThrow(/scalar-output functions only.*output shape \[3\]/);
    expect(() => grad((v: NDArray) => np.sum(v, 0, { keepdims: true }))(x)).toThrow(/output shape \[1\]/);
    expect(() => grad((v: NDArray) => ({ loss: np.sum(v) }))(x)).toThrow(/\{loss: \*\}/);
    expect(() => grad((v: NDArray) => np.sum(v).astype("int32"))(x)).toThrow(/floating-point output.*int32/);
    expect(() => grad((v: NDArray) => np.all(v.gt(0)))(x)).toThrow(DTypeError);
  });
  it("integer inputs, with the path", () => {
    const f = (p: { a: NDArray; n: NDArray }) => np.sum(p.a.mul(p.n));
    expect(() => grad(f)({ a: x, n: int([1, 2, 3]) })).toThrow(/argument 0\.n.*int32\[3\]/);
    const g = grad(f, { allowInt: true })({ a: x, n: int([1, 2, 3]) });
    expectClose(g.a, [1, 2, 3]);
    expect(g.n).toBeNull();
  });
  it("async functions and results that are no arrays", () => {
    expect(() => grad((async (v: NDArray) => np.sum(v)) as never)(x as never)).toThrow(/Promise.*must be synchronous/);
    expect(() => grad((() => "text") as never)(x as never)).toThrow(/return value.*string/);
    expect(() => grad(np.sum as never)("x" as never)).toThrow(/argument|array/);
  });
  it("a value that escaped", () => {
    let kept!: NDArray;
    grad((v: NDArray) => (kept = np.sum(v)))(x);
    expect(() => kept.add(1)).toThrow(/outlived its grad/);
    expect(() => kept.item()).toThrow(/outlived/);
  });
  it("an exception inside leaves no trace behind", () => {
    expect(() => grad((_v: NDArray): NDArray => { throw new Error("mine"); })(x)).toThrow("mine");
    expectClose(np.sin(x), np.sin(x));
    expectClose(grad((v: NDArray) => np.sum(v))(x), np.ones([3]));
  });
});
