import { cond, foriLoop, jit, type NDArray, np, scan, switchCase, vmap, whileLoop } from "@hessia/core";
import { describe, expect, it } from "vitest";
import { expectClose } from "./fixtures/compare.js";
import { checkpoint, grad, hessian, jacfwd, jacrev, jvp, linearize, savedResiduals, vjp } from "./index.js";

type F = (x: NDArray) => NDArray;
const x = np.array([0.5, -1.2, 0.3]);
const W = np.array([[0.3, -0.2, 0.1], [0.5, 0.4, -0.6], [0.2, 0.1, 0.7]]);
const batch = np.stack([x, x.mul(2), x.neg()]);

/** What must not change when a loop is written with a structured primitive instead of JavaScript. */
const transforms: Record<string, (f: F) => unknown> = {
  value: (f) => f(x),
  grad: (f) => grad(f)(x),
  jvp: (f) => jvp(f, [x], [W.get(0)])[1],
  linearize: (f) => linearize(f, x)[1](W.get(0)),
  "jit of grad": (f) => jit(grad(f))(x),
  "grad of jit": (f) => grad(jit(f))(x),
  hessian: (f) => hessian(f)(x),
  "jit of hessian": (f) => jit(hessian(f))(x),
  "hessian of jit": (f) => hessian(jit(f))(x),
  "reverse over reverse": (f) => jacrev(jacrev(f))(x),
  "forward over forward": (f) => jacfwd(jacfwd(f))(x),
  "reverse over forward": (f) => jacrev(jacfwd(f))(x),
  "third order": (f) => jacrev(hessian(f))(x),
  "vmap of grad": (f) => vmap(grad(f))(batch),
  "vmap of hessian": (f) => vmap(hessian(f))(batch),
  "grad of vmap": (f) => grad((y: NDArray) => np.sum(vmap((z: NDArray, s: NDArray) => f(z.mul(s)), { inAxes: [null, 0] })(y, np.array([1, 2, -1]))))(x),
  "hessian of checkpoint": (f) => hessian(checkpoint(f))(x),
  "vmap of hessian of checkpoint": (f) => vmap(hessian(checkpoint(f)))(batch),
};

function sameDerivatives(structured: F, plain: F, skip: readonly string[] = []): void {
  for (const [name, t] of Object.entries(transforms)) if (!skip.includes(name)) it(name, () => expectClose(t(structured), t(plain)));
}

const us = np.array([0.1, -0.5, 0.8, 1.1]);
const step = (h: NDArray, u: NDArray, w: NDArray): NDArray => np.tanh(np.matmul(W, h).add(w.mul(u)));

describe("scan with a closed-over value", () => {
  sameDerivatives((w) => {
    const [h, ys] = scan((c: NDArray, u: NDArray) => {
      const next = step(c, u, w);
      return [next, np.sum(next.mul(next))];
    }, w.mul(0.5), us);
    return np.sum(h.mul(h)).add(np.sum(ys));
  }, (w) => {
    let h = w.mul(0.5);
    let s = np.array(0);
    for (let i = 0; i < 4; i++) {
      h = step(h, us.get(i), w);
      s = s.add(np.sum(h.mul(h)));
    }
    return np.sum(h.mul(h)).add(s);
  });
});

describe("scan over differentiated rows, backwards", () => {
  sameDerivatives((w) => {
    const [c, ys] = scan((a: NDArray, r: NDArray) => [a.mul(np.sin(r)).add(r), a.mul(a)], np.array(1.5), w, { reverse: true });
    return c.mul(np.sum(ys.mul(w)));
  }, (w) => {
    let c = np.array(1.5);
    let s = np.array(0);
    for (let i = 2; i >= 0; i--) {
      s = s.add(c.mul(c).mul(w.get(i)));
      c = c.mul(np.sin(w.get(i))).add(w.get(i));
    }
    return c.mul(s);
  });
});

describe("nested scan", () => {
  sameDerivatives((w) => scan((a: NDArray, u: NDArray) => [scan((b: NDArray, v: NDArray) => [np.sin(b.mul(v)).add(a.mul(w)), null], a.mul(w), us)[0], u], w, us)[0].sum(), (w) => {
    let a = w;
    for (let i = 0; i < 4; i++) {
      let b = a.mul(w);
      for (let j = 0; j < 4; j++) b = np.sin(b.mul(us.get(j))).add(a.mul(w));
      a = b;
    }
    return a.sum();
  }, ["third order", "vmap of hessian of checkpoint"]);
});

describe("foriLoop with static bounds", () => {
  sameDerivatives((w) => np.sum(foriLoop(0, 5, (i: NDArray, s: NDArray) => np.sin(s).add(w.mul(i)), w)), (w) => {
    let s = w;
    for (let i = 0; i < 5; i++) s = np.sin(s).add(w.mul(i));
    return np.sum(s);
  });
});

for (const sign of [1, -1])
  describe(`cond, ${sign > 0 ? "first" : "second"} branch`, () => {
    const yes = (v: NDArray, z: NDArray): NDArray => np.sum(np.sin(v).mul(z).mul(v));
    const no = (v: NDArray, _z: NDArray): NDArray => np.prod(v).mul(3);
    sameDerivatives((w) => cond(np.sum(w).mul(sign).gt(0), yes, no, w, np.matmul(W, w)), (w) => np.where(np.sum(w).mul(sign).gt(0), yes(w, np.matmul(W, w)), no(w, w)));
  });

describe("switchCase with branches that depend on different values", () => {
  for (const k of [0, 1, 2]) {
    const branches: ((a: NDArray) => NDArray)[] = [(a) => np.sum(np.exp(a)), () => np.array(2), (a) => np.sum(a.mul(np.matmul(W, a)))];
    describe(`branch ${k}`, () => sameDerivatives((w) => switchCase(k, branches, w), (w) => branches[k]!(w).add(np.sum(w).mul(0))));
  }
});

describe("scan of cond", () => {
  sameDerivatives((w) => scan((c: NDArray, u: NDArray) => [cond(u.gt(0), (a: NDArray) => np.sin(a.mul(w)), (a: NDArray) => a.mul(a).add(w), c), null], w, us)[0].sum(), (w) => {
    let c = w;
    for (const u of [0.1, -0.5, 0.8, 1.1]) c = u > 0 ? np.sin(c.mul(w)) : c.mul(c).add(w);
    return c.sum();
  });
});

describe("whileLoop", () => {
  const f: F = (w) => whileLoop(({ i }: { i: NDArray; s: NDArray }) => i.lt(4), ({ i, s }) => ({ i: i.add(1), s: np.sin(s).mul(w) }), { i: np.array(0, { dtype: "int32" }), s: w }).s.sum();
  const plain: F = (w) => {
    let s = w;
    for (let i = 0; i < 4; i++) s = np.sin(s).mul(w);
    return s.sum();
  };
  it("has forward derivatives of any order", () => {
    expectClose(jvp(f, [x], [x])[1], jvp(plain, [x], [x])[1]);
    expectClose(jacfwd(f)(x), jacfwd(plain)(x));
    expectClose(jacfwd(jacfwd(f))(x), jacfwd(jacfwd(plain))(x));
    expectClose(jacfwd(jacfwd(jacfwd(f)))(x), jacfwd(jacfwd(jacfwd(plain)))(x));
    expectClose(jit(jacfwd(jit(f)))(x), jacfwd(plain)(x));
    expectClose(vmap(jacfwd(f))(batch), vmap(jacfwd(plain))(batch));
    expectClose(linearize(f, x)[1](x), jvp(plain, [x], [x])[1]);
  });
  it("says what to do instead of reverse mode", () => {
    expect(() => grad(f)(x)).toThrow(/whileLoop.*foriLoop with static bounds, scan/);
    expect(() => grad(jit(f))(x)).toThrow(/forward mode/);
  });
  it("passes values without tangents in reverse mode", () => {
    const g: F = (w) => np.sum(w).mul(whileLoop((s: NDArray) => s.lt(10), (s: NDArray) => s.mul(2), np.array(1)));
    expectClose(grad(g)(x), [16, 16, 16]);
  });
});

it("a loop of no iterations", () => {
  const f: F = (w) => scan((c: NDArray, u: NDArray) => [c.mul(u), c], w, np.zeros([0]))[0].sum();
  expectClose(grad(f)(x), [1, 1, 1]);
  expectClose(hessian(f)(x), np.zeros([3, 3]));
});

it("the pullback through a scan can be called again", () => {
  const [, pull] = vjp((w: NDArray) => scan((c: NDArray, u: NDArray) => [np.sin(c.mul(u)), c], w, us)[0], x);
  const first = pull(np.ones([3]))[0];
  expectClose(pull(np.ones([3]))[0], first);
  expectClose(pull(np.full([3], 2))[0], first.mul(2));
});

it("a loop keeps no copy of what does not change in it, and no stack of what is stacked already", () => {
  const n = 10;
  const rows = np.ones([50, n]);
  const f: F = (w) => scan((c: NDArray, u: NDArray) => [np.tanh(np.matmul(np.sin(w), c)).mul(u), null], np.ones([n]), rows)[0].sum();
  const shapes = savedResiduals(f, np.eye(n)).map((r) => r.shape.join());
  expect(shapes.filter((s) => s === `50,${n},${n}`)).toEqual([]);
  // Per step: the carry, the slope of tanh, and the rows themselves.
  expect(shapes.filter((s) => s === `50,${n}`)).toHaveLength(3);
});
