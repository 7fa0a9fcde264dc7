import { grad, hvp } from "@hessia/autodiff";
import { ArgumentError, jit, type NDArray, np, random, ShapeError, tree, vmap } from "@hessia/core";
import { describe, expect, it } from "vitest";
import * as nn from "../index.js";

const key = random.key(0);
const flat = (a: NDArray): number[] => a.ravel().toArray() as number[];

describe("Dropout", () => {
  it("is exact at rates 0 and 1, off when deterministic, and needs no key then", () => {
    const x = np.arange(1, 5).astype("float64");
    expect(new nn.Dropout(0, { deterministic: false }).apply({}, x).toArray()).toEqual([1, 2, 3, 4]);
    expect(new nn.Dropout(1, { deterministic: false }).apply({}, x).toArray()).toEqual([0, 0, 0, 0]);
    expect(new nn.Dropout(0.7, { deterministic: true }).apply({}, x).toArray()).toEqual([1, 2, 3, 4]);
    expect(() => new nn.Dropout(0.5, { deterministic: false }).apply({}, x)).toThrow(/rngs/);
    expect(() => new nn.Dropout(0.5).apply({}, x)).toThrow(/deterministic/);
  });
  it("keeps the mean, has the mask as derivative, and draws anew at each call", () => {
    const x = np.ones([20000]);
    const y = nn.dropout(key, 0.3, x);
    expect(y.mean().item()).toBeCloseTo(1, 1);
    expect(flat(grad((v: NDArray) => nn.dropout(key, 0.3, v).sum())(x))).toEqual(flat(y));
    class Two extends nn.Module {
      override call(v: NDArray): NDArray { return np.stack([0, 1].map(() => new nn.Dropout(0.5, { deterministic: false }).call(v))); }
    }
    const [a, b] = [...(new Two().apply({}, np.ones([64]), { rngs: { dropout: key } }))];
    expect(flat(a!)).not.toEqual(flat(b!));
    expect(flat(jit((k: NDArray) => nn.dropout(k, 0.3, x))(key))).toEqual(flat(y));
    expect(flat(vmap((k: NDArray) => nn.dropout(k, 0.5, np.ones([8])))(random.split(key, 2)).get(1))).toEqual(flat(nn.dropout(random.split(key, 2).get(1), 0.5, np.ones([8]))));
  });
});

describe("Embed", () => {
  it("gathers rows, adds up the derivatives of rows used twice, gives NaN outside", () => {
    const embed = new nn.Embed(4, 2);
    const v = embed.init(key, np.array([0], { dtype: "int32" }));
    const ids = np.array([1, 1, 3], { dtype: "int32" });
    expect(embed.apply(v, ids).shape).toEqual([3, 2]);
    const g = grad((p: nn.VariableTree) => embed.apply({ params: p }, ids).sum())(v["params"]!) as Record<string, NDArray>;
    expect(g["embedding"]!.toArray()).toEqual([[0, 0], [2, 2], [0, 0], [1, 1]]);
    expect(flat(embed.apply(v, np.array([9], { dtype: "int32" }))).every(Number.isNaN)).toBe(true);
    expect(() => embed.apply(v, np.ones([3]), { method: "attend" })).toThrow(ShapeError);
  });
});

describe("Sequential, MLP and small layers", () => {
  it("mixes functions and modules, and refuses anything else", () => {
    const net = new nn.Sequential([new nn.Flatten(), new nn.Dense(3), nn.relu, new nn.Reshape([3, 1]), new nn.Identity()]);
    const x = np.ones([2, 2, 2]);
    expect(net.apply(net.init(key, x), x).shape).toEqual([2, 3, 1]);
    expect(() => new nn.Sequential([3 as never])).toThrow(ArgumentError);
  });
  it("MLP: activation between the layers only, unless asked; dropout by key", () => {
    const x = np.array([[1, -2]]);
    const net = (o: nn.MLPOptions): NDArray => { const m = new nn.MLP([3, 2], { kernelInit: nn.initializers.constant(-1), ...o }); return m.apply(m.init(key, x), x); };
    expect(net({}).toArray()).toEqual([[-3, -3]]);
    expect(net({ activateFinal: true }).toArray()).toEqual([[0, 0]]);
    const dropping = new nn.MLP([30, 2], { dropoutRate: 0.5 });
    const v = dropping.init(key, x, { deterministic: true });
    expect(() => dropping.apply(v, x)).toThrow(/deterministic/);
    expect(flat(dropping.apply(v, x, { deterministic: false }, { rngs: { dropout: key } }))).not.toEqual(flat(dropping.apply(v, x, { deterministic: true })));
  });
  it("normalizing layers have finite curvature for constant inputs, and exact coupling in a batch", () => {
    const c = np.full([4, 6], 2.5);
    for (const layer of [new nn.LayerNorm(), new nn.RMSNorm(), new nn.GroupNorm({ numGroups: 2 }), new nn.BatchNorm({ useRunningAverage: false })]) {
      const v = layer.init(key, c);
      const f = (x: NDArray): NDArray => np.sin((layer.apply(v, x, { mutable: true }) as unknown as [NDArray])[0]).get(0, 0);
      const hv = hvp(f, [c], [np.reshape(np.arange(24), [4, 6]).astype("float64")])[1];
      expect(flat(hv).every(Number.isFinite)).toBe(true);
      expect(flat(grad(f)(c)).some((g) => g !== 0)).toBe(true);
    }
  });
  it("computes and keeps parameters in the dtypes asked for", () => {
    const d = new nn.Dense(2, { dtype: "float32", paramDtype: "float64" });
    const v = d.init(key, np.ones([1, 3]));
    expect(tree.leaves<NDArray>(v)[0]!.dtype).toBe("float64");
    expect(d.apply(v, np.ones([1, 3])).dtype).toBe("float32");
  });
});
