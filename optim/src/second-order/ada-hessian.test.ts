import { readFileSync } from "node:fs";
import { jit, lax, type NDArray, np, random, tree } from "@hessia/core";
import { describe, expect, it } from "vitest";
import { nonconvex } from "../fixtures/problems.js";
import { adaHessian, applyUpdates, type AdaHessianState, type Averaging, hutchinson, MissingExtraError, oracle, withExtras } from "../index.js";

interface Entry { id: string; problem: string; averaging: string; config: { lr: number; beta1: number; beta2: number; eps: number; weight_decay: number; hessian_power: number; block_sizes: [number, number, number, number]; update_each: number }; loss_before_step: number[]; params: Record<string, unknown>[]; hessian_diag_estimate_first3: Record<string, unknown>[] }
const file = JSON.parse(readFileSync(new URL("../fixtures/adahessian-traces.json", import.meta.url), "utf8")) as {
  problems: Record<string, { data: Record<string, number[]>; x0: Record<string, number[]> }>;
  vectors: Record<string, Record<string, number[]>[]>;
  entries: Entry[];
};

type Params = Record<string, NDArray>;
const toArrays = (t: Record<string, unknown>): Params => Object.fromEntries(Object.entries(t).map(([k, v]) => [k, np.array(v as number[])]));
const losses: Record<string, (data: Params) => (p: Params) => NDArray> = {
  nonconvex: () => ({ p }) => nonconvex(p!),
  mlp: ({ X, Y }) => ({ w, b }) => np.mean(np.square(np.subtract(np.tanh(np.add(np.matmul(X!, w!), b!)), Y!))),
  conv2d: ({ X, Y }) => ({ k, c, w, d }) => {
    const h = np.tanh(np.add(lax.conv(X!, k!, [1, 1], "VALID"), c!.reshape([-1, 1, 1])));
    return np.mean(np.square(np.subtract(np.add(np.matmul(np.mean(h, [2, 3]), w!), d!), Y!)));
  },
  conv1d: ({ X, Y }) => ({ k, w }) => np.mean(np.square(np.subtract(np.matmul(np.mean(np.tanh(lax.conv(X!, k!, [1], "VALID")), 2), w!), Y!))),
};
const worst = (a: unknown, b: unknown): number => {
  const [x, y] = [tree.leaves<number>(a), tree.leaves<number>(b)];
  expect(x.length).toBe(y.length);
  return Math.max(...x.map((v, i) => Math.abs(v - y[i]!)));
};
const plain = (p: unknown): unknown => tree.map((x: NDArray) => x.toArray(), p);

describe("AdaHessian against its reference code", () => {
  let ran = 0;
  for (const entry of file.entries)
    it(entry.id, () => {
      ran++;
      const { data, x0 } = file.problems[entry.problem]!;
      const c = entry.config;
      const averaging: Averaging = entry.averaging === "official_image" ? "reference" : entry.averaging === "official_instruction" ? { blockSizes: c.block_sizes } : entry.averaging === "paper_signed" ? "paper" : "none";
      const opt = adaHessian({ learningRate: c.lr, b1: c.beta1, b2: c.beta2, eps: c.eps, weightDecay: c.weight_decay, hessianPower: c.hessian_power, updateEvery: c.update_each, averaging });
      const at = oracle(losses[entry.problem]!(toArrays(data)));
      let params = toArrays(x0);
      let state = opt.init(params);
      const step = jit((p: Params, s: readonly unknown[], probes: Params) => {
        const point = at(p);
        const [u, next] = opt.update(point.grad, s, p, withExtras(point, { probes }));
        return [applyUpdates(p, u), next, point.value] as const;
      });
      entry.params.forEach((want, t) => {
        const [next, s, value] = step(params, state, toArrays(file.vectors[entry.problem]![t]!));
        expect(Math.abs(Number(value.item()) - entry.loss_before_step[t]!)).toBeLessThan(1e-9);
        [params, state] = [next, s];
        if (t < 3) {
          const diagonal = plain((state[0] as AdaHessianState).diagonal);
          // Only its square enters the step: without averaging the sign is a matter of taste.
          const compared = entry.averaging === "none" ? tree.map((v: number) => Math.abs(v), diagonal) : diagonal;
          expect(worst(compared, entry.hessian_diag_estimate_first3[t]), `diagonal ${t}`).toBeLessThan(1e-9);
        }
        expect(worst(plain(params), want), `step ${t}`).toBeLessThan(1e-9);
      });
    });
  it("counts", () => {
    console.log(`adahessian traces: ${ran} of ${file.entries.length} ran`);
    expect(ran).toBe(file.entries.length);
  });
});

describe("adaHessian", () => {
  it("averages over the same axes in either layout", () => {
    const run = (kernel: NDArray, layout: "OIHW" | "HWIO", axes: readonly number[]) => {
      const opt = adaHessian({ layout, averaging: "reference" });
      const at = oracle(({ k }: Params) => np.sum(np.multiply(np.power(np.transpose(k!, axes), 4), weights)));
      const p = { k: kernel };
      const extra = withExtras(at(p), { probes: { k: np.ones(kernel.shape) } });
      return (opt.update(at(p).grad, opt.init(p), p, extra)[1][0] as AdaHessianState).diagonal as Params;
    };
    const kernel = random.normal(random.key(1), [4, 3, 2, 5]);
    const weights = random.normal(random.key(2), [4, 3, 2, 5]);
    const oihw = run(kernel, "OIHW", [0, 1, 2, 3]).k!;
    const hwio = run(np.transpose(kernel, [2, 3, 1, 0]), "HWIO", [3, 2, 0, 1]).k!;
    expect(worst(np.transpose(hwio, [3, 2, 0, 1]).toArray(), oihw.toArray())).toBeLessThan(1e-12);
  });
  it("draws its own signs: unbiased, different at each step, the same for one key", () => {
    const scale = np.array([1, 10, 100]);
    const at = oracle((x: NDArray) => np.add(np.multiply(0.5, np.sum(np.multiply(scale, np.square(x)))), np.multiply(2, np.multiply(x.get(0), x.get(1)))));
    const opt = hutchinson({ key: 3, nSamples: 64 });
    const x = np.zeros([3]);
    const [d1, s1] = opt.update(x, opt.init(x), x, at(x));
    const [d2] = opt.update(x, s1, x, at(x));
    const [again] = opt.update(x, opt.init(x), x, at(x));
    expect(d1.toArray()).toEqual(again.toArray());
    expect(d1.toArray()).not.toEqual(d2.toArray());
    expect(worst(d1.toArray(), [1, 10, 100])).toBeLessThan(1);
  });
  it("asks for what it needs", () => {
    const opt = adaHessian();
    const x = np.ones([2]);
    expect(() => opt.update(x, opt.init(x), x)).toThrow(MissingExtraError);
    expect(() => opt.update(x, opt.init(x), x)).toThrow(/adaHessian\.update\(extra\.hvpFn\).*oracle/);
  });
});
