import { grad, hvp } from "@hessia/autodiff";
import { jit, type NDArray, np, random, ShapeDtype, tree, vmap } from "@hessia/core";
import { describe, expect, it } from "vitest";
import golden from "../fixtures/flax.json" with { type: "json" };
import * as nn from "../index.js";

interface Encoded { readonly shape: number[]; readonly dtype: string; readonly data: number[] }
const isEncoded = (x: unknown): x is Encoded => typeof x === "object" && x !== null && Array.isArray((x as Encoded).data);
const decode = (e: Encoded): NDArray => np.array(e.data).reshape(e.shape).astype(e.dtype === "int64" ? "int32" : (e.dtype as "float64"));
const decodeTree = (t: unknown): unknown => (isEncoded(t) ? decode(t) : Object.fromEntries(Object.entries(t as object).map(([k, v]) => [k, decodeTree(v)])));
// Flax writes PReLU's parameter in snake case.
const renamed = (t: unknown): unknown => JSON.parse(JSON.stringify(t ?? {}).replaceAll("negative_slope", "negativeSlope"));
function close(got: unknown, want: unknown, rtol: number, atol: number, what: string): void {
  const [g, gd] = tree.flatten<NDArray>(got);
  const [w, wd] = tree.flatten<NDArray>(want);
  expect(gd.key, what).toBe(wd.key);
  g.forEach((a, i) => {
    expect(a.shape, what).toEqual(w[i]!.shape);
    const [x, y] = [a.ravel().toArray() as number[], w[i]!.ravel().toArray() as number[]];
    x.forEach((v, j) => expect(Math.abs(v - y[j]!), `${what}: got ${v}, want ${y[j]}`).toBeLessThanOrEqual(atol + rtol * Math.abs(y[j]!)));
  });
}

class Net extends nn.Module {
  static readonly typeName = "Net";
  override call(x: NDArray): NDArray {
    const h = np.tanh(new nn.Dense(5).call(x));
    return new nn.Dense(2).call(new nn.Dense(4, { name: "middle" }).call(h));
  }
}
class Setup extends nn.Module {
  readonly enc = new nn.Dense(3);
  readonly layers = [new nn.Dense(4), new nn.Dense(2)];
  override call(x: NDArray): NDArray {
    return this.layers.reduce((h, l) => l.call(h), np.tanh(this.enc.call(x)));
  }
}
class Cnn extends nn.Module {
  override call(x: NDArray): NDArray {
    const h = nn.avgPool(nn.relu(new nn.Conv(4, [3, 3]).call(x)), [2, 2], { strides: [2, 2] });
    return new nn.Dense(3).call(new nn.Flatten().call(h));
  }
}
const modules: Record<string, nn.Module> = {
  dense: new nn.Dense(3), denseNoBias: new nn.Dense(3, { useBias: false }), net: new Net(), setup: new Setup(), cnn: new Cnn(),
  sequential: new nn.Sequential([new nn.Dense(4), nn.tanh, new nn.Dense(2)]),
  conv1d: new nn.Conv(4, [3]), conv1dCausal: new nn.Conv(4, 3, { padding: "CAUSAL", kernelDilation: 2 }), conv2d: new nn.Conv(3, [3, 3], { strides: 2 }),
  conv2dValid: new nn.Conv(2, [2, 3], { padding: "VALID" }), conv2dPairs: new nn.Conv(2, [3, 2], { padding: [[1, 2], [0, 1]], strides: [2, 1] }),
  conv2dGroups: new nn.Conv(4, [3, 3], { featureGroupCount: 2, useBias: false }), conv2dCircular: new nn.Conv(2, [3, 2], { padding: "CIRCULAR" }),
  conv2dReflect: new nn.Conv(2, [4, 3], { padding: "REFLECT" }), conv2dDilated: new nn.Conv(2, [2, 2], { padding: [[1, 0], [0, 1]], inputDilation: 2, kernelDilation: [1, 2] }),
  conv3d: new nn.Conv(2, [2, 2, 2]), convUnbatched: new nn.Conv(2, [3, 3]), convTranspose: new nn.ConvTranspose(3, [3, 3], { strides: [2, 2] }),
  convTransposeValid: new nn.ConvTranspose(3, [2], { strides: [3], padding: "VALID" }), convTransposeFlip: new nn.ConvTranspose(3, [3, 3], { strides: [2, 2], transposeKernel: true }),
  batchNormTrain: new nn.BatchNorm({ useRunningAverage: false, momentum: 0.9 }), batchNormEval: new nn.BatchNorm({ useRunningAverage: true }),
  batchNormImages: new nn.BatchNorm({ useRunningAverage: false, useScale: false }), layerNorm: new nn.LayerNorm(),
  layerNormAxes: new nn.LayerNorm({ reductionAxes: [1, 2], featureAxes: -1, useBias: false }), rmsNorm: new nn.RMSNorm(), groupNorm: new nn.GroupNorm({ numGroups: 2 }),
  groupNormSize: new nn.GroupNorm({ numGroups: null, groupSize: 3 }), instanceNorm: new nn.InstanceNorm(), prelu: new nn.PReLU(), embed: new nn.Embed(5, 3),
};
const pools: Record<string, (x: NDArray) => NDArray> = {
  maxPool: (x) => nn.maxPool(x, [2, 2], { strides: [2, 2] }), maxPoolSame: (x) => nn.maxPool(x, [3, 2], { padding: "SAME" }), minPool: (x) => nn.minPool(x, [2, 3]),
  avgPool: (x) => nn.avgPool(x, [3, 3], { strides: [2, 2], padding: "SAME" }), avgPoolExclude: (x) => nn.avgPool(x, [3, 3], { strides: [2, 2], padding: "SAME", countIncludePad: false }),
  avgPoolPairs: (x) => nn.avgPool(x, [2, 2], { padding: [[1, 0], [0, 1]] }),
};

interface Case { name: string; x: Encoded; y: Encoded; init?: unknown; variables?: unknown; new?: unknown; grad?: { params?: unknown; x: Encoded }; hvp?: { params?: unknown; x: Encoded } }
const cases = golden.cases as unknown as Case[];

describe("layers against Flax", () => {
  it("knows every case", () => expect(cases.map((c) => c.name).sort()).toEqual([...Object.keys(modules), ...Object.keys(pools)].sort()));

  it.each(cases.filter((c) => c.init).map((c) => [c.name, c] as const))("%s: names, shapes and draws of the variables", (name, c) => {
    const want = decodeTree(renamed(c.init));
    const x = decode(c.x);
    const got = modules[name]!.init(random.key(3), x);
    close(got, want, 2e-6, 0, name);
    expect(tree.leaves<NDArray>(got).every((a) => a.dtype === "float32")).toBe(true);
    close(modules[name]!.init(random.key(3), new ShapeDtype(x.shape, x.dtype)), got, 0, 0, `${name} from shapes`);
  });

  it.each(cases.filter((c) => c.variables).map((c) => [c.name, c] as const))("%s: result, state, gradient and Hessian-vector product", (name, c) => {
    const net = modules[name]!;
    const variables = decodeTree(renamed(c.variables)) as nn.Variables;
    const x = decode(c.x);
    const mutable = c.new ? ["batchStats"] : false;
    const run = (v: nn.Variables, input: NDArray): NDArray => {
      const y: unknown = net.apply(v, input, { mutable });
      return (mutable ? (y as [NDArray])[0] : y) as NDArray;
    };
    close(run(variables, x), decode(c.y), 1e-11, 1e-12, name);
    close(jit(run)(variables, x), decode(c.y), 1e-11, 1e-12, `jit ${name}`);
    if (c.new) close((net.apply(variables, x, { mutable: ["batchStats"] }) as [NDArray, unknown])[1], decodeTree(c.new), 1e-12, 1e-14, `${name} state`);
    const { params = {}, ...rest } = variables;
    const f = (p: nn.VariableTree, input: NDArray): NDArray => np.sin(run({ ...rest, params: p }, input)).sum();
    if (!c.grad || !c.hvp) return;
    const want = (d: { params?: unknown; x: Encoded }): unknown => [decodeTree(renamed(d.params)), decode(d.x)];
    close(grad(f, { argnums: [0, 1] })(params, x), want(c.grad), 1e-9, 1e-11, `${name} gradient`);
    const [g, hv] = hvp(f, [params, x], tree.map((a: NDArray) => np.onesLike(a), [params, x]), { argnums: [0, 1] });
    close(g, want(c.grad), 1e-9, 1e-11, `${name} gradient of hvp`);
    close(hv, want(c.hvp), 1e-8, 1e-10, `${name} hvp`);
  });

  it.each(cases.filter((c) => !c.init).map((c) => [c.name, c] as const))("%s: result, gradient and Hessian-vector product", (name, c) => {
    const f = pools[name]!;
    const x = decode(c.x);
    close(f(x), decode(c.y), 1e-13, 1e-15, name);
    const s = (v: NDArray): NDArray => np.sin(f(v)).sum();
    close(grad(s)(x), decode(c.grad!.x), 1e-12, 1e-14, name);
    close(hvp(s, [x], [np.onesLike(x)])[1], decode(c.hvp!.x), 1e-12, 1e-14, name);
    close(vmap(f)(np.stack([x, x])).get(1), decode(c.y), 1e-13, 1e-15, `vmap ${name}`);
  });

  it("draws Flax's keys for every path and stream, and its dropout masks", () => {
    class Inner extends nn.Module {
      override call(): NDArray { return np.stack([this.makeRng("dropout"), this.makeRng("dropout"), this.makeRng("params")]); }
    }
    class Keys extends nn.Module {
      override call(): NDArray { return np.concatenate([np.expandDims(this.makeRng("dropout"), 0), new Inner({ name: "inner_block" }).call(), new Inner({ name: "b" }).call()]); }
    }
    expect(new Keys().apply({}, { rngs: { params: random.key(5), dropout: random.key(6) } }).toArray()).toEqual(golden.keys);
    const drop = (o: object): unknown => (new nn.Dropout(0.4, { deterministic: false, ...o }).apply({}, np.ones([3, 5]), { rngs: { dropout: random.key(9) } }) as NDArray).toArray();
    expect(drop({})).toEqual(golden.dropout);
    expect(drop({ broadcastDims: [0] })).toEqual(golden.dropoutBroadcast);
  });
});
