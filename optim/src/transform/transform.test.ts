import { ArgumentError, jit, type NDArray, np, scan, tree, TreeError, vmap } from "@hessia/core";
import { describe, expect, it } from "vitest";
import { adam, adamw, addDecayedWeights, applyIfFinite, applyUpdates, chain, clipByGlobalNorm, constantSchedule, cosineDecaySchedule, cosineOnecycleSchedule, freeze, globalNorm, type GradientTransformation, identity, injectHyperparams, joinSchedules, lbfgs, linearOnecycleSchedule, linearSchedule, lookahead, lookaheadInit, type LookaheadParams, masked, MissingExtraError, multiSteps, namedChain, newton, oracle, partition, piecewiseConstantSchedule, polyakSgd, scale, scaleByAdam, scaleBySchedule, selectiveTransform, setToZero, sgd, sgdrSchedule, stateless, statelessWithTreeMap, trace, warmupCosineDecaySchedule, withExtras, zeroNans } from "../index.js";

const value = (x: unknown): number => Number(np.asarray(x as NDArray).item());
const plain = (t: unknown): unknown => tree.map((x: NDArray) => x.toArray(), t);
const params = { w: np.array([[1, 2], [3, 4]]), b: np.array([1, -1]) };
const grads = { w: np.array([[0.1, 0.2], [0.3, 0.4]]), b: np.array([0.5, -0.5]) };

describe("protocol", () => {
  it("chains in order, and names the states of namedChain", () => {
    const both = chain(scale(2), addDecayedWeights(0.1));
    expect((plain(both.update(grads, both.init(params), params)[0]) as { b: number[] }).b).toEqual([1.1, -1.1]);
    const named = namedChain({ moments: scaleByAdam(), step: scale(-0.1) });
    const state = named.init(params);
    expect(Object.keys(state)).toEqual(["moments", "step"]);
    const plainAdam = adam(0.1);
    expect(plain(named.update(grads, state, params)[0])).toEqual(plain(plainAdam.update(grads, plainAdam.init(params), params)[0]));
  });
  it("states are pytrees of arrays with int32 counters; updates are pure", () => {
    const opt = adam(0.1);
    const state = opt.init(params);
    expect(tree.leaves<NDArray>(state).map((x) => x.dtype).filter((d) => d === "int32")).toHaveLength(1);
    const before = JSON.stringify(plain(state));
    const a = opt.update(grads, state, params);
    const b = opt.update(grads, state, params);
    expect(plain(a[0])).toEqual(plain(b[0]));
    expect(JSON.stringify(plain(state))).toBe(before);
  });
  it("keeps the dtype of parameters and moments", () => {
    const p = { w: np.ones([2], { dtype: "float32" }) };
    for (const opt of [adam(0.1), adamw(cosineDecaySchedule(0.1, 10)), sgd(np.array(0.1), { momentum: 0.9 }), chain(clipByGlobalNorm(1), sgd(linearSchedule(1, 0, 10)))]) {
      const [u, s] = opt.update({ w: np.ones([2], { dtype: "float32" }) }, opt.init(p), p);
      expect(u.w.dtype).toBe("float32");
      expect(tree.leaves<NDArray>(s).every((x) => x.dtype !== "float64")).toBe(true);
      expect(applyUpdates(p, u).w.dtype).toBe("float32");
    }
    expect(applyUpdates(p, { w: np.array([0.5, 0.5]) }).w.dtype).toBe("float32");
  });
  it("stateless, identity, setToZero", () => {
    const double = stateless((g: { b: NDArray }) => ({ ...g, b: g.b.mul(2) }));
    expect((double.update(grads, double.init(params))[0].b.toArray())).toEqual([1, -1]);
    const withParams = statelessWithTreeMap((g, p) => g.mul(p!));
    expect(withParams.update(grads, null, params)[0].b.toArray()).toEqual([0.5, 0.5]);
    expect(identity().update(grads, null)[0]).toEqual(grads);
    expect(plain(setToZero().update(grads, null)[0])).toEqual({ w: [[0, 0], [0, 0]], b: [0, 0] });
    expect(value(globalNorm({ a: np.array([3]), b: np.array(4) }))).toBe(5);
  });
  it("says what is wrong", () => {
    const opt = adam(0.1);
    const state = opt.init(params);
    expect(() => opt.update({ w: grads.w }, state, params)).toThrow(TreeError);
    expect(() => applyUpdates(params, { w: grads.w })).toThrow(/applyUpdates\(updates\)/);
    expect(() => addDecayedWeights(0.1).update(grads, null)).toThrow(/params.*current parameters/);
    expect(() => chain(scale(1), scale(2)).update(grads, [null])).toThrow(/2 states/);
    expect(() => polyakSgd().update(grads, polyakSgd().init(params), params)).toThrow(MissingExtraError);
    expect(() => newton().update(grads, newton().init(params), params)).toThrow(/newton\.update\(extra\.hessianFn\).*oracle\(lossFn\)/);
    expect(() => lbfgs().update(grads, lbfgs().init(params), params)).toThrow(MissingExtraError);
    expect(() => multiSteps(sgd(1), 0)).toThrow(ArgumentError);
    expect(() => joinSchedules([constantSchedule(1)], [3])).toThrow(ArgumentError);
  });
  it("ignores extra arguments that nobody asked for", () => {
    const opt = chain(adam(0.1), trace(0.9));
    expect(plain(opt.update(grads, opt.init(params), params, { value: 1, nonsense: "x" })[0])).toEqual(plain(opt.update(grads, opt.init(params), params)[0]));
  });
});

describe("masks and partitions", () => {
  it("decays matrices only", () => {
    const opt = masked(addDecayedWeights(0.1), (p: typeof params) => tree.map((x: NDArray) => x.ndim > 1, p));
    const [u] = opt.update(grads, opt.init(params), params);
    expect(u.b.toArray()).toEqual([0.5, -0.5]);
    expect(u.w.toArray()).toEqual([[0.1 + 0.1, 0.2 + 0.2], [0.3 + 0.1 * 3, 0.4 + 0.4]]);
  });
  it("gives each label its optimizer, and keeps states small", () => {
    const opt = partition({ slow: sgd(0.1), fast: adam(1), still: setToZero() }, { w: "slow", b: "fast" });
    const state = opt.init(params);
    // b alone has moments: a counter, and two arrays.
    expect(tree.leaves(state)).toHaveLength(3);
    const [u] = opt.update(grads, state, params);
    expect(u.w.toArray()).toEqual([[-0.1 * 0.1, -0.1 * 0.2], [-0.1 * 0.3, -0.1 * 0.4]]);
    u.b.toArray();
    expect(Math.abs(value(u.b.get(0)) + 1)).toBeLessThan(1e-6);
    expect(() => partition({ a: sgd(1) }, { w: "a", b: "z" }).init(params)).toThrow(/one of a/);
    expect(() => masked(sgd(1), { q: true }).init(params)).toThrow(TreeError);
  });
  it("freezes", () => {
    const opt = chain(sgd(1), freeze({ w: true, b: false }));
    expect(plain(opt.update(grads, opt.init(params), params)[0])).toEqual({ w: [[0, 0], [0, 0]], b: [-0.5, 0.5] });
    const only = selectiveTransform(sgd(1), { w: false, b: true });
    expect(plain(only.update(grads, only.init(params), params)[0])).toEqual({ w: [[0, 0], [0, 0]], b: [-0.5, 0.5] });
  });
});

describe("oracle", () => {
  const loss = (p: { w: NDArray }, x: NDArray) => np.sum(np.multiply(x, np.power(p.w, 4)));
  const p = { w: np.array([1, 2]) };
  const x = np.array([1, 0.5]);
  it("answers everything about the loss", () => {
    const e = oracle(loss)(p, x);
    expect(value(e.value)).toBe(9);
    expect(plain(e.grad)).toEqual({ w: [4, 16] });
    expect(plain(e.hvpFn!({ w: np.array([1, 1]) } as never))).toEqual({ w: [12, 24] });
    expect(plain(e.hvpAtFn!({ w: np.array([2, 1]) } as never, { w: np.array([1, 1]) } as never))).toEqual({ w: [48, 6] });
    expect(plain(e.hessianDiagFn!())).toEqual({ w: [12, 24] });
    expect(e.hessianFn!().toArray()).toEqual([[12, 0], [0, 24]]);
    expect(value(e.valueFn!({ w: np.array([2, 0]) } as never))).toBe(16);
    expect(plain(e.gradFn!({ w: np.array([2, 0]) } as never))).toEqual({ w: [32, 0] });
    expect(e.aux).toBeUndefined();
    expect(e.ggnvpFn).toBeUndefined();
  });
  it("evaluates the loss once for value, gradient and products, and only when asked", () => {
    let calls = 0;
    const e = oracle((q: NDArray) => (calls++, np.sum(np.power(q, 3))))(np.array([1, 2]));
    expect(calls).toBe(0);
    const hvp = e.hvpFn!;
    for (let k = 0; k < 5; k++) hvp(np.array([1, k]) as never);
    expect([value(e.value), plain(e.grad)]).toEqual([9, [3, 12]]);
    expect(e.hvpFn).toBe(hvp);
    expect(calls).toBe(1);
  });
  it("passes aux, and works inside jit", () => {
    const at = oracle((q: NDArray) => [np.sum(np.square(q)), { first: q.get(0) }] as const, { hasAux: true });
    const [v, aux, hv] = jit((q: NDArray) => { const e = at(q); return [e.value, e.aux as { first: NDArray }, e.hvpFn!(q as never) as NDArray] as const; })(np.array([1, 2]));
    expect([value(v), value(aux.first), plain(hv)]).toEqual([5, 1, [2, 4]]);
  });
  it("gives Gauss-Newton products of composed losses and residuals", () => {
    const A = np.array([[1, 2], [3, 4], [5, 6]]);
    const composed = oracle({ model: (q: NDArray) => np.matmul(A, q), loss: (z) => np.sum(np.square(z as NDArray)) })(np.array([1, 1]));
    expect(plain(composed.ggnvpFn!(np.array([1, 0]) as never))).toEqual([70, 88]);
    const least = oracle({ residuals: (q: NDArray) => np.matmul(A, q) })(np.array([1, 1]));
    expect(plain(least.ggnvpFn!(np.array([1, 0]) as never))).toEqual([35, 44]);
    expect(value(least.value)).toBe((9 + 49 + 121) / 2);
  });
  it("takes replacements without computing the rest", () => {
    let calls = 0;
    const e = withExtras(oracle((q: NDArray) => (calls++, np.sum(q)))(np.ones([2])), { value: 7 });
    expect(value(e.value)).toBe(7);
    expect(calls).toBe(0);
    expect(plain(e.grad)).toEqual([1, 1]);
    expect(() => oracle((q: NDArray) => q)(np.ones([2])).value).toThrow(/scalar/);
  });
});

describe("whole loops", () => {
  const loss = (p: NDArray, x: NDArray) => np.sum(np.square(np.subtract(p, x)));
  it("vmap over learning rates equals one run each", () => {
    const rates = np.array([0.01, 0.1, 0.3]);
    const xs = np.array([[1, 2], [0, 1], [2, 2], [1, 1]]);
    const train = (rate: NDArray) => {
      const opt = adam(rate);
      const p0 = np.zeros([2]);
      const [end] = scan(({ p, s }: { p: NDArray; s: readonly unknown[] }, x: NDArray) => {
        const e = oracle(loss)(p, x);
        const [u, next] = opt.update(e.grad, s, p, e);
        return [{ p: applyUpdates(p, u), s: next }, e.value] as const;
      }, { p: p0, s: opt.init(p0) }, xs);
      return end.p;
    };
    const all = jit(vmap(train))(rates);
    for (let k = 0; k < 3; k++) {
      const opt = adam(Number(rates.get(k).item()));
      let [p, s]: [NDArray, readonly unknown[]] = [np.zeros([2]), opt.init(np.zeros([2]))];
      for (const x of xs) {
        const e = oracle(loss)(p, x);
        const [u, next] = opt.update(e.grad, s, p);
        [p, s] = [applyUpdates(p, u), next];
      }
      (p.toArray() as number[]).forEach((v, i) => expect(value(all.get(k, i))).toBeCloseTo(v, 12));
    }
  });
  it("accumulates: the mean of k gradients, then one step", () => {
    const opt = multiSteps(sgd(1), 2, { accumulatorDtype: "float64" });
    let state = opt.init(np.zeros([1]));
    const moves: number[] = [];
    for (const g of [1, 3, 5, 7]) {
      const [u, next] = opt.update(np.array([g]), state);
      moves.push(value(u.get(0)));
      state = next;
    }
    expect(moves.map((m) => m + 0)).toEqual([0, -2, 0, -6]);
    expect(value(state.gradientStep)).toBe(2);
  });
  it("skips steps that are not finite, and repairs NaN", () => {
    const opt = applyIfFinite(sgd(1, { momentum: 0.5 }), 2);
    let state = opt.init(np.zeros([1]));
    const out: number[] = [];
    for (const g of [1, NaN, 1, Infinity]) {
      const [u, next] = opt.update(np.array([g]), state);
      out.push(value(u.get(0)) + 0);
      state = next;
    }
    expect(out).toEqual([-1, 0, -1.5, 0]);
    expect(value(state.totalNotFinite)).toBe(2);
    const [fixed, found] = zeroNans().update({ a: np.array([NaN, 1]), b: np.array([1]) }, zeroNans().init({ a: np.zeros([2]), b: np.zeros([1]) }));
    expect(plain(fixed)).toEqual({ a: [0, 1], b: [1] });
    expect(plain(found.foundNan)).toEqual({ a: true, b: false });
  });
  it("looks ahead: slow parameters move half of the way every second step", () => {
    const opt = lookahead(sgd(1), 2, 0.5);
    let both = lookaheadInit(np.array([10]));
    let state = opt.init(both);
    for (let k = 0; k < 2; k++) {
      const [u, next] = opt.update(np.array([1]), state, both);
      both = applyUpdates(both, u) as LookaheadParams<NDArray>;
      state = next;
    }
    expect(plain(both)).toEqual({ fast: [9], slow: [9] });
  });
  it("hyperparameters in the state can be read and changed without compiling again", () => {
    const opt = injectHyperparams(({ learningRate }) => sgd(learningRate), { learningRate: 0.5 });
    const step = jit((g: NDArray, s: ReturnType<typeof opt.init>) => opt.update(g, s));
    const s0 = opt.init(np.ones([1]));
    const [u0, s1] = step(np.ones([1]), s0);
    const [u1] = step(np.ones([1]), { ...s1, hyperparams: { learningRate: np.array(0.125) } });
    expect([value(u0.get(0)), value(u1.get(0)), step.stats().compiles]).toEqual([-0.5, -0.125, 1]);
    const scheduled = injectHyperparams(({ learningRate }) => sgd(learningRate), { learningRate: cosineDecaySchedule(1, 2) });
    let s: ReturnType<typeof scheduled.init> = scheduled.init(np.ones([1]));
    const rates = [0, 1, 2].map(() => { s = scheduled.update(np.ones([1]), s)[1]; return value(s.hyperparams["learningRate"]); });
    rates.forEach((r, i) => expect(r).toBeCloseTo([1, 0.5, 0][i]!, 12));
  });
});

describe("schedules", () => {
  it("as optax has them", () => {
    // Values by optax 0.2.8.
    const at = (s: (t: number) => unknown, ts: number[]) => ts.map((t) => value(s(t)));
    const near = (a: number[], b: number[]) => a.forEach((v, i) => expect(v).toBeCloseTo(b[i]!, 10));
    near(at(piecewiseConstantSchedule(1, { 5: 0.5, 10: 0.1 }), [0, 4, 5, 9, 10, 20]), [1, 1, 0.5, 0.5, 0.05, 0.05]);
    near(at(linearOnecycleSchedule(10, 1), [0, 3, 8, 10]), [0.04, 1, 0.04, 0.04e-4]);
    near(at(cosineOnecycleSchedule(10, 1), [0, 3, 10]), [0.04, 1, 4e-6]);
    near(at(sgdrSchedule([{ initValue: 0, peakValue: 1, warmupSteps: 2, decaySteps: 6 }, { initValue: 0, peakValue: 0.5, warmupSteps: 2, decaySteps: 6 }]), [0, 1, 2, 4, 6, 7, 8]), [0, 0.5, 1, 0.5, 0, 0.25, 0.5]);
    near(at(warmupCosineDecaySchedule(0, 1, 5, 15, 0.1), [0, 5, 10, 15, 30]), [0, 1, 0.55, 0.1, 0.1]);
  });
  it("drive updates under jit by the counter in the state", () => {
    const opt: GradientTransformation<{ count: NDArray }> = scaleBySchedule(linearSchedule(1, 0, 4));
    const step = jit((s: { count: NDArray }) => opt.update(np.ones([1]), s));
    let s = opt.init(np.ones([1]));
    const out: number[] = [];
    for (let k = 0; k < 5; k++) {
      const [u, next] = step(s);
      out.push(value(u.get(0)));
      s = next;
    }
    expect(out).toEqual([1, 0.75, 0.5, 0.25, 0]);
  });
});
