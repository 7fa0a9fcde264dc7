import { grad, hessian, hvp } from "@hessia/autodiff";
import { ArgumentError, jit, type NDArray, np, random, scan, tree, TreeError, vmap } from "@hessia/core";
import { describe, expect, it } from "vitest";
import * as nn from "../index.js";

const key = random.key(1);
const x = np.array([[1, 2, 3], [0.5, -1, 2]]);
const flat = (a: unknown): number[] => tree.leaves<NDArray>(a).flatMap((l) => l.ravel().toArray() as number[]);
function near(a: unknown, b: unknown, tol = 1e-10): void {
  const [p, q] = [flat(a), flat(b)];
  expect(p.length).toBe(q.length);
  p.forEach((v, i) => expect(Math.abs(v - q[i]!)).toBeLessThanOrEqual(tol * (1 + Math.abs(q[i]!))));
}
const names = (params: nn.FlatVariables): string[] => Object.entries(params).flatMap(([path, group]) => Object.keys(group).map((n) => `${path} ${n}`)).sort();

describe("transform", () => {
  it("names modules as Haiku does: mlp/linear_0, linear, linear_1, repeated names numbered", () => {
    const f = nn.transform((v: NDArray) => {
      const h = new nn.MLP([4, 3]).call(v);
      const heads = [0, 1].map(() => new nn.Linear(3, { name: "head" }));
      const again = heads.reduce((v, l) => l.call(v), h);
      const [first, last] = [new nn.Linear(3), new nn.Linear(2)];
      return last.call(first.call(again)).add(nn.getParameter("offset", [2], "float32", nn.initializers.ones));
    });
    const params = f.init(key, x);
    expect(names(params)).toEqual(["head bias", "head kernel", "head_1 bias", "head_1 kernel", "linear bias", "linear kernel", "linear_1 bias", "linear_1 kernel", "mlp/linear_0 bias", "mlp/linear_0 kernel", "mlp/linear_1 bias", "mlp/linear_1 kernel", "~ offset"]);
    expect(f.apply(params, null, x).shape).toEqual([2, 2]);
    near(f.init(key, x), params, 0);
  });

  it("shares parameters of one module called twice, and names classes in snake case", () => {
    class MyBlock extends nn.Module {
      override call(v: NDArray): NDArray { return np.matmul(v, nn.getParameter("w", [3, 3], "float32", nn.initializers.lecunNormal())); }
    }
    const f = nn.transform((v: NDArray) => { const b = new MyBlock(); return b.call(b.call(v)); });
    expect(names(f.init(key, x))).toEqual(["my_block w"]);
  });

  it("draws keys by splitting one sequence", () => {
    const f = nn.transform(() => [nn.nextRngKey(), nn.nextRngKey()]);
    const [k1, a] = [...random.split(key)];
    const b = [...random.split(k1!)][1]!;
    near(f.apply({}, key), [a, b], 0);
    expect(() => f.apply({}, null)).toThrow(ArgumentError);
    expect(nn.transform(() => nn.maybeNextRngKey()).apply({}, null)).toBeNull();
  });

  it("goes through grad, hvp, hessian, jit and vmap", () => {
    const f = nn.withoutApplyRng(nn.transform((v: NDArray) => new nn.MLP([4, 1], { activation: np.tanh }).call(v)));
    const params = tree.map((a: NDArray) => a.astype("float64"), f.init(key, x)) as nn.FlatVariables;
    const loss = (p: nn.FlatVariables): NDArray => nn.squaredError(f.apply(p, x)).mean();
    const unfused = (p: nn.FlatVariables): NDArray => {
      const [a, b] = [p["mlp/linear_0"], p["mlp/linear_1"]] as unknown as Record<string, NDArray>[];
      return np.square(np.add(np.matmul(np.tanh(np.add(np.matmul(x, a!["kernel"]!), a!["bias"]!)), b!["kernel"]!), b!["bias"]!)).mean();
    };
    const v = tree.map((a: NDArray) => np.sin(a.add(1)), params) as nn.FlatVariables;
    near(grad(loss)(params), grad(unfused)(params));
    near(hvp(loss, [params], [v] as never)[1], hvp(unfused, [params], [v] as never)[1]);
    near(hessian(loss)(params), hessian(unfused)(params), 1e-9);
    near(jit(f.apply)(params, x), f.apply(params, x));
    near(vmap(f.apply, { inAxes: [null, 0] })(params, x), f.apply(params, x));
    expect(names(vmap((k: NDArray) => f.init(k, x))(random.split(key, 3)) as nn.FlatVariables)).toEqual(names(params));
  });

  it("carries state: getState and setState, BatchNorm, under jit and scan", () => {
    const counter = nn.transformWithState((v: NDArray) => {
      const n = nn.getState("count", [], "int32", nn.initializers.zeros);
      nn.setState("count", n.add(1));
      return new nn.BatchNorm({ momentum: 0.5 }).call(v, { useRunningAverage: false });
    });
    const [params, state] = counter.init(key, x);
    expect(names(state)).toEqual(["batch_norm mean", "batch_norm var", "~ count"]);
    const [, next] = counter.apply(params, state, null, x);
    expect((next["~"]!["count"] as NDArray).item()).toBe((state["~"]!["count"] as NDArray).item() as number + 1);
    near(next["batch_norm"]!["mean"], np.mean(x, 0).mul(0.5), 1e-6);
    const [last] = scan((s: nn.FlatVariables) => [counter.apply(params, s, null, x)[1], null] as const, state, null, { length: 3 });
    near(last["batch_norm"]!["mean"], np.mean(x, 0).mul(1 - 0.125), 1e-6);
    near(jit(counter.apply)(params, state, null as never, x)[1], next, 1e-6);
    const [y] = nn.withoutApplyRng(counter).apply(params, state, x);
    expect(y.shape).toEqual([2, 3]);
    expect(() => nn.transform((v: NDArray) => { nn.setState("s", v); return v; }).apply({}, null, x)).toThrow(/transformWithState/);
  });

  it("may be nested, and leaves nothing behind when it fails", () => {
    const inner = nn.transform((v: NDArray) => new nn.Linear(3).call(v));
    const p = inner.init(key, x);
    const outer = nn.transform((v: NDArray) => new nn.Linear(2).call(inner.apply(p, null, v)));
    expect(names(outer.init(key, x))).toEqual(["linear bias", "linear kernel"]);
    const fails = nn.transform((v: NDArray) => { new nn.Linear(2).call(v); throw new Error("on purpose"); });
    expect(() => fails.init(key, x)).toThrow("on purpose");
    expect(() => nn.nextRngKey()).toThrow(/outside of init and apply/);
    expect(() => nn.getParameter("w", [1])).toThrow(ArgumentError);
    expect(() => nn.setState("w", x)).toThrow(ArgumentError);
  });

  it("transforms several functions over the same modules", () => {
    const { init, apply } = nn.multiTransform(() => {
      const [encoder, decoder] = [new nn.Linear(2), new nn.Linear(3)];
      const encode = (v: NDArray): NDArray => encoder.call(v);
      const decode = (z: NDArray): NDArray => decoder.call(z);
      return [(v: NDArray) => decode(encode(v)), { encode, decode }] as const;
    });
    const params = init(key, x);
    expect(names(params)).toEqual(["linear bias", "linear kernel", "linear_1 bias", "linear_1 kernel"]);
    const z = apply.encode(params, null, x);
    expect(z.shape).toEqual([2, 2]);
    const { kernel, bias } = params["linear_1"] as Record<string, NDArray>;
    near(apply.decode(params, null, z), np.add(np.matmul(z, kernel!), bias!), 1e-6);
  });

  it("names the path of missing, extra and mis-shaped parameters", () => {
    const f = nn.transform((v: NDArray) => new nn.MLP([4, 1]).call(v));
    const params = f.init(key, x);
    const { "mlp/linear_1": _, ...rest } = params;
    expect(() => f.apply(rest, null, x)).toThrow(/params\["mlp\/linear_1"\]\.kernel/);
    expect(() => f.apply({ ...params, other: { w: x } }, null, x)).toThrow(/params\["other"\]\.w/);
    expect(() => f.apply({ ...params, "mlp/linear_0": { kernel: x, bias: x } }, null, x)).toThrow(/mlp\/linear_0"\]\.kernel.*\[3,4\].*\[2,3\]/);
    expect(() => f.apply(params, 3 as never, x)).toThrow(ArgumentError);
    expect(() => f.apply(null as never, null, x)).toThrow(TreeError);
    expect(() => nn.transform(3 as never)).toThrow(ArgumentError);
    expect(() => nn.transform(() => nn.getParameter("w", [1])).init(key)).toThrow(/initializer/);
  });
});
