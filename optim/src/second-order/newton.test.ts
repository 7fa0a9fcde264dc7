import { jit, type NDArray, np, random, scan, tree, vmap } from "@hessia/core";
import { eigh } from "@hessia/linalg";
import { describe, expect, it } from "vitest";
import { adafactor, adaHessian, adam, adamax, adan, ademamix, adopt, applyUpdates, bfgs, type BfgsState, chain, type Extras, gaussNewton, type GradientTransformation, lbfgs, lamb, type LbfgsState, levenbergMarquardt, type LevenbergMarquardtState, LineSearchError, madgrad, masked, modifiedCholesky, multiSteps, newton, newtonCG, type NewtonCgState, type NewtonState, novograd, oracle, radam, type Regularization, rprop, scaleByBacktrackingLinesearch, scheduleFreeSgd, sgd, sm3, sophia, warmupCosineDecaySchedule, withExtras, yogi } from "../index.js";

type Fn<P> = (p: P) => NDArray;
const rosen = (x: NDArray): NDArray => np.sum(np.add(np.multiply(100, np.square(np.subtract(x.get("1:"), np.square(x.get(":-1"))))), np.square(np.subtract(1, x.get(":-1")))));
const numbers = (t: unknown): number[] => tree.leaves<NDArray>(t).flatMap((x) => [x.toArray()].flat(9) as number[]);
const distance = (a: unknown, b: readonly number[]): number => Math.hypot(...numbers(a).map((v, i) => v - b[i]!));

/** Steps under jit; the parameters and states after each. */
function run<P>(opt: GradientTransformation<unknown>, at: (p: P) => Extras, p0: P, steps: number): { params: P; state: unknown }[] {
  const step = jit((p: P, s: unknown) => {
    const extra = at(p);
    const [u, next] = opt.update(extra.grad, s, p, extra);
    return [applyUpdates(p, u), next] as const;
  });
  const out: { params: P; state: unknown }[] = [];
  let [params, state] = [p0, opt.init(p0)];
  for (let k = 0; k < steps; k++) {
    [params, state] = step(params, state);
    out.push({ params, state });
  }
  return out;
}

const X = random.normal(random.key(1), [40, 4]);
const t = np.where(np.greater(np.add(np.matmul(X, np.array([1, -2, 0.5, 0])), random.normal(random.key(2), [40])), 0), 1, -1);
const logistic = ({ w, b }: { w: NDArray; b: NDArray }): NDArray => np.add(np.sum(np.log1p(np.exp(np.negative(np.multiply(t, np.add(np.matmul(X, w), b)))))), np.multiply(0.05, np.add(np.sum(np.square(w)), np.square(b))));

describe("newton", () => {
  it.each(["none", "levenberg", "modifiedCholesky", "eigFlip", "eigClip"] as Regularization[])("converges quadratically on Rosenbrock with %s", (regularize) => {
    const path = run(newton({ regularize }), oracle(rosen), np.array([-1.2, 1]), 30);
    const errors = path.map(({ params }) => distance(params, [1, 1]));
    expect(errors.at(-1)).toBeLessThan(1e-13);
    const near = errors.map((e, k) => [e, errors[k + 1] ?? 0] as const).filter(([e]) => e < 0.1 && e > 1e-7);
    expect(near.length).toBeGreaterThanOrEqual(2);
    for (const [e, next] of near) expect(next).toBeLessThan(50 * e * e + 1e-13);
  });
  it("converges quadratically on logistic regression, on a pytree", () => {
    const start = { w: np.zeros([4]), b: np.zeros([]) };
    const path = run(newton(), oracle(logistic as Fn<typeof start>), start, 12);
    const best = numbers(path.at(-1)!.params);
    const errors = path.map(({ params }) => distance(params, best));
    for (const [k, e] of errors.entries()) if (e > 1e-7 && e < 1) expect(errors[k + 1]).toBeLessThan(2 * e * e + 1e-13);
    const last = path.at(-1)!.state as NewtonState;
    expect(last.lambdaMin.item()).toBeGreaterThan(0.09);
    expect(last.status.item()).toBe(0);
  });
  // f has a saddle at 0 and minima at +-1 along the first axis; the start sits where the Hessian is indefinite.
  const saddle = (x: NDArray): NDArray => np.add(np.subtract(np.multiply(0.25, np.power(x.get(0), 4)), np.multiply(0.5, np.square(x.get(0)))), np.multiply(2, np.square(x.get(1))));
  it.each(["levenberg", "modifiedCholesky", "eigFlip", "eigClip"] as Regularization[])("leaves an indefinite start downhill: %s", (regularize) => {
    const path = run(newton({ regularize }), oracle(saddle), np.array([0.1, 0.5]), 40);
    expect((path[0]!.state as NewtonState).lambdaMin.item()).toBeCloseTo(-0.97, 8);
    expect((path[0]!.state as NewtonState).decrease.item()).toBeGreaterThan(0);
    expect(distance(path.at(-1)!.params, [1, 0])).toBeLessThan(1e-10);
  });
  it("flips eigenvalues: the direction is -V |w|^-1 V'g", () => {
    const h = np.array([[1, 3], [3, -2]]);
    const f = (x: NDArray) => np.add(np.multiply(0.5, np.dot(x, np.matmul(h, x))), np.sum(x));
    const opt = newton({ regularize: "eigFlip", scaling: "none", lineSearch: "none" });
    const e = oracle(f)(np.zeros([2]));
    const { eigenvalues: w, eigenvectors: v } = eigh(h);
    const want = np.negative(np.matmul(v, np.divide(np.matmul(np.transpose(v), np.ones([2])), np.abs(w))));
    expect(distance(opt.update(e.grad, opt.init(np.zeros([2])), np.zeros([2]), e)[0], numbers(want))).toBeLessThan(1e-14);
  });
  it("does not depend on the units of the parameters", () => {
    const units = np.array([1e-6, 1e3]);
    for (const regularize of ["eigFlip", "eigClip", "modifiedCholesky"] as const) {
      const a = run(newton({ regularize }), oracle(saddle), np.array([0.1, 0.5]), 20).at(-1)!.params;
      const b = run(newton({ regularize }), oracle((y: NDArray) => saddle(np.divide(y, units))), np.multiply(np.array([0.1, 0.5]), units), 20).at(-1)!.params;
      expect(distance(np.divide(b, units), numbers(a)), regularize).toBeLessThan(1e-9);
    }
  });
  it("goes to the saddle without regularization, as Newton's equations say", () => {
    const [p] = run(newton({ regularize: "none", lineSearch: "none" }), oracle(saddle), np.array([0.1, 0.5]), 8).slice(-1);
    expect(distance(p!.params, [0, 0])).toBeLessThan(1e-10);
  });
  it("solves with products only, damps, and takes Wolfe steps", () => {
    for (const o of [{ solver: "cg" }, { damping: 1e-3 }, { damping: 1e-3, dampingScale: "diagonal" }, { lineSearch: "wolfe" }, { learningRate: 0.9 }] as const) {
      const path = run(newton(o), oracle(rosen), np.array([-1.2, 1]), 60);
      expect(distance(path.at(-1)!.params, [1, 1]), JSON.stringify(o)).toBeLessThan(1e-5);
    }
  });
  it("reports the step and the decrease of each step", () => {
    const at = oracle(rosen);
    const opt = newton();
    let [p, state] = [np.array([-1.2, 1]), opt.init(np.zeros([2]))];
    for (let k = 0; k < 6; k++) {
      const e = at(p);
      const [u, next] = opt.update(e.grad, state, p, e);
      const q = applyUpdates(p, u);
      expect(next.decrease.item()).toBeCloseTo(Number(rosen(p).item()) - Number(rosen(q).item()), 10);
      expect(Number(next.stepSize.item())).toBeGreaterThan(0);
      [p, state] = [q, next];
    }
  });
  it("moves a masked part alone", () => {
    const f = ({ a, b }: { a: NDArray; b: NDArray }) => np.add(rosen(a), np.sum(np.square(np.subtract(b, a.get(0)))));
    const start = { a: np.array([-1.2, 1]), b: np.array([5]) };
    const path = run(masked(newton(), { a: true, b: false }) as GradientTransformation<unknown>, (p: typeof start) => { const e = oracle(f)(p); return withExtras(e, { grad: e.grad }); }, start, 1);
    // The gradient of the part left out passes through unchanged.
    expect(numbers(path[0]!.params.b)[0]).toBeCloseTo(5 + 2 * (5 + 1.2), 10);
    const only = newton();
    const g = (a: NDArray) => f({ a, b: start.b });
    const e = oracle(g)(start.a);
    expect(distance(path[0]!.params.a, numbers(applyUpdates(start.a, only.update(e.grad, only.init(start.a), start.a, e)[0])))).toBeLessThan(1e-12);
  });
});

describe("modifiedCholesky", () => {
  it("is the matrix itself where that is positive definite, and positive definite where it is not", () => {
    const product = (a: NDArray) => {
      const { l, d } = modifiedCholesky(a);
      const lower = np.add(l, np.eye(a.shape[0]!));
      return np.matmul(np.multiply(lower, d), np.transpose(lower));
    };
    const spd = np.array([[4, 1, 0.5], [1, 3, -1], [0.5, -1, 2]]);
    expect(distance(product(spd), numbers(spd))).toBeLessThan(1e-14);
    // The example of Gill, Murray & Wright 1981, section 4.4.2.2: eigenvalues 5.1, -2.2, 0.1; E has the diagonal (2.771, 5.016, 2.243).
    const a = np.array([[1, 1, 2], [1, 1 + 1e-20, 3], [2, 3, 1]]);
    const e = np.subtract(product(a), a);
    expect(np.max(np.abs(np.subtract(e, np.diag(np.diagonal(e))))).item()).toBeLessThan(1e-13);
    [2.771, 5.016, 2.243].forEach((want, i) => expect(e.get(i, i).item()).toBeCloseTo(want, 3));
  });
});

describe("newtonCG", () => {
  it("minimizes Rosenbrock in ten variables and reports negative curvature", () => {
    const path = run(newtonCG(), oracle(rosen), np.array([-1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1]), 120);
    expect(Math.min(distance(path.at(-1)!.params, new Array<number>(10).fill(1)), Number(rosen(path.at(-1)!.params).item()) - 3.98)).toBeLessThan(0.01);
    const saddle = (x: NDArray) => np.subtract(np.sum(np.power(x, 4)), np.square(x.get(0)));
    const [first] = run(newtonCG(), oracle(saddle), np.array([0.1, 0]), 1);
    expect((first!.state as NewtonCgState).negativeCurvature.item()).toBe(true);
    expect((first!.state as NewtonCgState).lambdaMin.item()).toBeLessThan(0);
  });
  it("asks for Hessian products alone: no n^2 memory", () => {
    // A dense Hessian of 20000 variables would be 3.2 GB.
    const n = 20000;
    const diagonal = np.linspace(1, 50, n);
    const f = (x: NDArray) => np.add(np.multiply(0.5, np.sum(np.multiply(diagonal, np.square(x)))), np.sum(np.power(np.subtract(x, 1), 4)));
    const at = oracle(f);
    const used = new Set<string>();
    const step = jit((p: NDArray, s: NewtonCgState) => {
      const extra = new Proxy(at(p), { get: (o, k) => (used.add(String(k)), Reflect.get(o, k) as unknown) });
      const [u, next] = newtonCG().update(extra.grad, s, p, extra);
      return [applyUpdates(p, u), next] as const;
    });
    let [p, s] = [np.zeros([n]), newtonCG().init(np.zeros([n])) as NewtonCgState];
    const largest = (program: { equations: readonly { outputs: readonly { aval: { shape: readonly number[] } }[]; params: object }[] }): number =>
      Math.max(0, ...program.equations.flatMap((e) => [...e.outputs.map((v) => v.aval.shape.reduce((a, b) => a * b, 1)), ...Object.values(e.params).flat().filter((q): q is typeof program => typeof q === "object" && q !== null && "equations" in q).map(largest)]));
    expect(largest(step.lower(p, s).program as never)).toBe(n);
    for (let k = 0; k < 12; k++) [p, s] = step(p, s);
    expect(used.has("hessianFn")).toBe(false);
    expect(Number(np.max(np.abs(at(p).grad)).item())).toBeLessThan(1e-6);
  });
  it("takes Gauss-Newton products on request", () => {
    const [A, y] = [random.normal(random.key(5), [20, 3]), random.normal(random.key(6), [20])];
    const at = oracle({ model: (w: NDArray) => np.tanh(np.matmul(A, w)), loss: (z) => np.sum(np.square(np.subtract(z as NDArray, y))) });
    const path = run(newtonCG({ curvature: "ggn" }), at, np.zeros([3]), 40);
    expect(Math.hypot(...numbers(at(path.at(-1)!.params).grad))).toBeLessThan(1e-5);
  });
});

describe("quasi-Newton", () => {
  it.each([["bfgs", bfgs()], ["lbfgs", lbfgs()], ["lbfgs of 3", lbfgs({ memorySize: 3 })]] as const)("%s minimizes Rosenbrock", (_, opt) => {
    const path = run(opt, oracle(rosen), np.array([-1.2, 1]), 60);
    expect(distance(path.at(-1)!.params, [1, 1])).toBeLessThan(1e-7);
  });
  it("skips pairs without positive curvature", () => {
    const concave = (x: NDArray) => np.multiply(-0.5, np.sum(np.square(x)));
    const states = run(bfgs({ lineSearch: "none", learningRate: 0.1 }), oracle(concave), np.array([0.1, -0.2]), 4);
    expect(numbers(((states.at(-1)!.state as BfgsState[])[0]!).hessInv)).toEqual([1, 0, 0, 1]);
    const pairs = run(lbfgs({ lineSearch: "none", learningRate: 0.1, curvatureEps: 1e-16 }), oracle(concave), np.array([0.1, -0.2]), 4);
    expect(numbers(((pairs.at(-1)!.state as LbfgsState[])[0]!).rho)).toEqual(new Array(10).fill(0));
  });
});

describe("least squares", () => {
  const xs = np.linspace(0, 2, 15);
  const model = (b: NDArray) => np.multiply(b.get(0), np.exp(np.multiply(b.get(1), xs)));
  const ys = np.add(model(np.array([2, -1.5])), np.multiply(0.01, random.normal(random.key(9), [15])));
  const at = oracle({ residuals: (b: NDArray) => np.subtract(model(b), ys) });
  const best = numbers(run(newton(), at, np.array([2, -1.5]), 10).at(-1)!.params);
  it.each([{}, { update: "marquardt" }, { geodesic: true }, { solver: "cholesky" }, { solver: "cg" }, { scaling: "diagonal", damping0: 1e-3 }] as const)("levenbergMarquardt %j", (options) => {
    const path = run(levenbergMarquardt(options), at, np.array([0.5, 1]), 60);
    expect(distance(path.at(-1)!.params, best)).toBeLessThan(1e-7);
    const states = path.map((p) => p.state as LevenbergMarquardtState);
    // At the limit of precision the cost may rise by its rounding.
    for (const s of states) if (s.accepted.item() === true) expect(Number(s.newValue.item())).toBeLessThanOrEqual(Number(s.value.item()) * (1 + 64 * Number.EPSILON));
    for (const s of states.slice(0, 4)) if (s.accepted.item() === true) expect(Number(s.newValue.item())).toBeLessThan(Number(s.value.item()));
    expect(states.at(-1)!.status.item()).toBeGreaterThan(0);
  });
  it("rejects a step that raises the cost, stays, and damps more", () => {
    const wild = oracle({ residuals: (b: NDArray) => np.concatenate([np.arctan(np.multiply(10, b)), np.multiply(1e-3, b)], 0) });
    const [first] = run(levenbergMarquardt({ damping0: 1e-12 }), wild, np.array([2]), 1);
    const s = first!.state as LevenbergMarquardtState;
    expect(s.accepted.item()).toBe(false);
    expect(first!.params.toArray()).toEqual([2]);
    const path = run(levenbergMarquardt({ damping0: 1e-12 }), wild, np.array([2]), 80);
    expect(Math.abs(numbers(path.at(-1)!.params)[0]!)).toBeLessThan(1e-6);
  });
  it.each([{}, { solver: "cg" }, { solver: "cholesky", lineSearch: "wolfe" }] as const)("gaussNewton %j", (options) => {
    const path = run(gaussNewton(options), at, np.array([1, -1]), 30);
    expect(distance(path.at(-1)!.params, best)).toBeLessThan(1e-6);
  });
});

describe("second order under transforms", () => {
  const data = random.normal(random.key(11), [6, 8, 3]);
  const target = random.normal(random.key(12), [6, 8]);
  // Strongly regularized: with less, a Newton path over six batches amplifies rounding a million times, and no two ways to compute it agree.
  const loss = ({ w, b }: { w: NDArray; b: NDArray }, x: NDArray, y: NDArray) => np.add(np.mean(np.square(np.subtract(np.tanh(np.add(np.matmul(x, w), b)), y))), np.multiply(0.5, np.add(np.sum(np.square(w)), np.square(b))));
  type P = { w: NDArray; b: NDArray };
  const start: P = { w: np.array([0.1, 0.2, -0.1]), b: np.array(0.3) };
  const optimizers = { newton: newton(), newtonCG: newtonCG(), bfgs: bfgs(), lbfgs: lbfgs(), sgd: sgd(0.1, { momentum: 0.9 }) } as const;
  it.each(Object.keys(optimizers) as (keyof typeof optimizers)[])("a whole loop of %s in one scan equals the loop in JavaScript", (name) => {
    const opt = optimizers[name] as GradientTransformation<unknown>;
    const at = oracle(loss);
    const step = (p: P, s: unknown, x: NDArray, y: NDArray) => {
      const e = at(p, x, y);
      const [u, next] = opt.update(e.grad, s, p, e);
      return [applyUpdates(p, u), next, e.value] as const;
    };
    const whole = jit((p: P) => scan(({ p: q, s }: { p: P; s: unknown }, { x, y }: { x: NDArray; y: NDArray }) => {
      const [next, state, value] = step(q, s, x, y);
      return [{ p: next, s: state }, value] as const;
    }, { p, s: opt.init(p) }, { x: data, y: target }));
    const [end, values] = whole(start);
    let [p, s]: [P, unknown] = [start, opt.init(start)];
    for (let k = 0; k < 6; k++) {
      const [next, state, value] = step(p, s, data.get(k), target.get(k));
      expect(Number(value.item())).toBeCloseTo(Number(values.get(k).item()), 10);
      [p, s] = [next, state];
    }
    expect(distance(end.p, numbers(p))).toBeLessThan(1e-9);
  });
  it("a batch of starts by vmap, each stopping its line search on its own", () => {
    const at = oracle(rosen);
    const solve = (x: NDArray) => {
      let [p, s]: [NDArray, unknown] = [x, newton().init(x)];
      for (let k = 0; k < 4; k++) {
        const e = at(p);
        const [u, next] = newton().update(e.grad, s as NewtonState, p, e);
        [p, s] = [applyUpdates(p, u), next];
      }
      return p;
    };
    const starts = np.array([[-1.2, 1], [0.5, 0.5], [2, -1]]);
    const together = jit(vmap(solve))(starts);
    for (let k = 0; k < 3; k++) expect(distance(together.get(k), numbers(solve(starts.get(k))))).toBeLessThan(1e-10);
  });
});

describe("float32 parameters", () => {
  const loss = ({ w, b }: { w: NDArray; b: NDArray }) => np.add(np.sum(np.multiply(np.array([1, 2, 3], { dtype: "float32" }), np.square(np.subtract(w, 1)))), np.power(np.add(b, 1), 2));
  const start = { w: np.zeros([3], { dtype: "float32" }), b: np.zeros([], { dtype: "float32" }) };
  const all: Record<string, GradientTransformation<unknown>> = {
    newton: newton({ damping: 1e-4 }), "newton cg": newton({ solver: "cg" }), "newton eigFlip": newton({ regularize: "eigFlip", lineSearch: "wolfe" }), newtonCG: newtonCG(), bfgs: bfgs(), lbfgs: lbfgs(), adaHessian: adaHessian({ updateEvery: 2 }), sophia: sophia(0.1, { updateInterval: 2 }),
    backtracking: chain(sgd(1), scaleByBacktrackingLinesearch({ maxBacktrackingSteps: 20, storeGrad: true })), adamax: adamax(0.1), radam: radam(0.1), novograd: novograd(0.1), adafactor: adafactor(0.1), lamb: lamb(0.1), rprop: rprop(0.1), multi: multiSteps(adam(0.1), 2),
    yogi: yogi(0.1), adan: adan(0.1), adopt: adopt(0.1), madgrad: madgrad(0.1), sm3: sm3(0.1), scheduleFree: scheduleFreeSgd(0.1), ademamix: ademamix(0.1), scheduled: sgd(warmupCosineDecaySchedule(0, 0.1, 2, 8)), gradient: gaussNewton(), marquardt: levenbergMarquardt({ geodesic: true }),
  };
  it.each(Object.keys(all))("%s keeps them, and its state keeps its types, in a scan", (name) => {
    const opt = all[name]!;
    const at = name === "gradient" || name === "marquardt" ? oracle({ residuals: ({ w, b }: typeof start) => ({ w: np.subtract(w, 1), b: np.add(b, 1) }) }) : oracle(loss);
    const [end, values] = jit((p: typeof start) => scan(({ q, s }: { q: typeof start; s: unknown }) => {
      const e = at(q);
      const [u, next] = opt.update(e.grad, s, q, e);
      return [{ q: applyUpdates(q, u), s: next }, e.value] as const;
    }, { q: p, s: opt.init(p) }, null, { length: 6 }))(start);
    expect(tree.leaves<NDArray>(end.q).map((x) => x.dtype)).toEqual(["float32", "float32"]);
    expect(Number(values.get(5).item())).toBeLessThan(Number(values.get(0).item()));
  });
});

describe("failed line searches", () => {
  const wrongSign = (e: Extras): Extras => withExtras(e, { valueFn: (p: never) => np.add(np.negative(rosen(p)), 1e3) });
  it.each([["newton", newton()], ["newtonCG", newtonCG({ lineSearch: "backtracking" })]] as const)("%s throws outside of jit and tells in the state inside", (_, opt) => {
    const x = np.array([-1.2, 1]);
    const e = oracle(rosen)(x);
    expect(() => opt.update(e.grad, opt.init(x) as never, x, wrongSign(e))).toThrow(LineSearchError);
    expect(() => opt.update(e.grad, opt.init(x) as never, x, wrongSign(e))).toThrow(/sufficient decrease.*Fix/);
    const [u, s] = jit((p: NDArray) => { const q = oracle(rosen)(p); return opt.update(q.grad, opt.init(p) as never, p, wrongSign(q)); })(x);
    expect((s as NewtonState).status.item()).toBe(2);
    expect(u.toArray()).toEqual([0, 0]);
  });
  it("names NaN", () => {
    const x = np.array([-1.2, 1]);
    const e = oracle(rosen)(x);
    expect(() => newton().update(e.grad, newton().init(x), x, withExtras(e, { valueFn: () => np.asarray(NaN) }))).toThrow(/NaN or infinity/);
  });
});
