import { checkpoint, grad, hessian, hvp, ravelPytree } from "@hessia/autodiff";
import { ArgumentError, evalShape, jit, LeakedTracerError, type NDArray, np, random, scan, ShapeDtype, ShapeError, tree, vmap } from "@hessia/core";
import { describe, expect, it } from "vitest";
import * as nn from "../index.js";

const key = random.key(0);
const x = np.array([[1, 2, 3], [0.5, -1, 2]]);
const flat = (a: unknown): number[] => tree.leaves<NDArray>(a).flatMap((l) => l.ravel().toArray() as number[]);
function near(a: unknown, b: unknown, tol = 1e-10): void {
  const [p, q] = [flat(a), flat(b)];
  expect(p.length).toBe(q.length);
  p.forEach((v, i) => expect(Math.abs(v - q[i]!)).toBeLessThanOrEqual(tol * (1 + Math.abs(q[i]!))));
}

type VariableTreeOf = Record<string, NDArray>;

class Net extends nn.Module {
  static readonly typeName: string = "Net";
  constructor(readonly width: number, options: nn.ModuleOptions = {}) { super(options); }
  override call(v: NDArray): NDArray {
    const h = np.tanh(new nn.Dense(this.width).call(v));
    const gain = this.param("gain", nn.initializers.ones, [this.width]);
    return new nn.Dense(1).call(h.mul(gain));
  }
}
const net = new Net(4);
const variables = net.init(key, x);
const params = variables["params"]!;
const shapes = (t: unknown): Record<string, string> => Object.fromEntries(Object.entries(nn.flattenParams(t as nn.VariableTree)).map(([k, v]) => [k, `${v.dtype}[${v.shape}]`]));

describe("Module", () => {
  it("names parameters as Flax does, float32, and computes with what init made", () => {
    expect(shapes(variables)).toEqual({ "params/Dense_0/bias": "float32[4]", "params/Dense_0/kernel": "float32[3,4]", "params/Dense_1/bias": "float32[1]", "params/Dense_1/kernel": "float32[4,1]", "params/gain": "float32[4]" });
    expect(net.apply(variables, x).shape).toEqual([2, 1]);
    const p = params as Record<string, Record<string, NDArray>>;
    near(net.apply(variables, x), np.matmul(np.tanh(np.matmul(x, p["Dense_0"]!["kernel"]!)), p["Dense_1"]!["kernel"]!));
  });

  it("is pure: same key, same variables; nothing is written to the variables passed", () => {
    near(net.init(key, x), variables, 0);
    const before = JSON.stringify(variables);
    const bn = new nn.BatchNorm({ useRunningAverage: false });
    const v = bn.init(key, x);
    const text = JSON.stringify(v);
    bn.apply(v, x, { mutable: true });
    net.apply(variables, x);
    expect(JSON.stringify(variables)).toBe(before);
    expect(JSON.stringify(v)).toBe(text);
  });

  it("shares the parameters of a module called twice, of a property shared, and of a parent called twice", () => {
    class Twice extends nn.Module {
      readonly fc = new nn.Dense(3);
      override call(v: NDArray): NDArray { return this.fc.call(this.fc.call(v)); }
    }
    expect(Object.keys(nn.flattenParams(new Twice().init(key, x)))).toEqual(["params/fc/bias", "params/fc/kernel"]);
    class Outer extends nn.Module {
      override call(v: NDArray): NDArray {
        const inner = new Net(3);
        return inner.call(v).add(inner.call(v));
      }
    }
    expect(nn.countParams(new Outer().init(key, x))).toBe(nn.countParams(new Net(3).init(key, x)));
    const shared = new nn.Dense(3);
    class Tied extends nn.Module {
      readonly a = new nn.Sequential([shared, nn.tanh]);
      readonly b = new nn.Sequential([shared]);
      override call(v: NDArray): NDArray { return this.b.call(this.a.call(v)); }
    }
    const tied = new Tied();
    const v = tied.init(key, x);
    expect(Object.keys(nn.flattenParams(v))).toEqual(["params/a/layers_0/bias", "params/a/layers_0/kernel"]);
    expect(tied.apply(v, x).shape).toEqual([2, 3]);
  });

  it("names modules in the order in which they are made, whether called or not; parts of a part belong to it", () => {
    class Order extends nn.Module {
      override call(v: NDArray, o: { first: boolean } = { first: true }): NDArray {
        const [a, b] = [new nn.Dense(3), new nn.Dense(3)];
        const chain = new nn.Sequential([new nn.Dense(3), nn.tanh]);
        const h = o.first ? a.call(v) : v;
        return chain.call(b.call(h));
      }
    }
    const order = new Order();
    const v = order.init(key, x);
    expect(Object.keys(nn.flattenParams(v)).filter((k) => k.endsWith("kernel"))).toEqual(["params/Dense_0/kernel", "params/Dense_1/kernel", "params/Sequential_0/layers_0/kernel"]);
    const p = v["params"] as Record<string, VariableTreeOf>;
    near(order.apply(v, x, { first: false }, { strict: false }), np.tanh(np.matmul(np.matmul(x, p["Dense_1"]!["kernel"]!), (p["Sequential_0"]!["layers_0"] as unknown as VariableTreeOf)["kernel"]!)), 1e-6);
  });

  it("may be used in several networks and runs at a time", () => {
    const inner = new nn.Dense(2);
    class Calls extends nn.Module {
      override call(v: NDArray): NDArray {
        const fixed = inner.apply({ params: { kernel: np.ones([3, 2]), bias: np.zeros([2]) } }, v); // a run of its own, within this one
        return inner.call(v).add(fixed);
      }
    }
    const v = new Calls().init(key, x);
    expect(Object.keys(nn.flattenParams(v))).toEqual(["params/Dense_0/bias", "params/Dense_0/kernel"]);
    expect(new Calls().apply(v, x).shape).toEqual([2, 2]);
    expect(shapes(inner.init(key, x))).toEqual({ "params/bias": "float32[2]", "params/kernel": "float32[3,2]" });
  });

  it("inherits: a subclass's call may use super.call in the same scope", () => {
    class More extends Net {
      static override readonly typeName: string = "More";
      override call(v: NDArray): NDArray { return super.call(v).mul(this.param("scale", nn.initializers.constant(2), [])); }
    }
    const v = new More(4).init(key, x);
    expect(Object.keys(v["params"]!).sort()).toEqual(["Dense_0", "Dense_1", "gain", "scale"]);
    near(new More(4).apply(v, x), net.apply(variables, x).mul(2));
  });

  it("runs other methods, by name and by function", () => {
    class Auto extends nn.Module {
      readonly encoder = new nn.Dense(2);
      readonly decoder = new nn.Dense(3);
      encode(v: NDArray): NDArray { return this.encoder.call(v); }
      override call(v: NDArray): NDArray { return this.decoder.call(this.encode(v)); }
    }
    const auto = new Auto();
    const v = auto.init(key, x);
    const byName = auto.apply(v, x, { method: "encode" }) as NDArray;
    near(byName, auto.apply(v, x, { method: (m: Auto, input: NDArray) => m.encode(input) }));
    expect(byName.shape).toEqual([2, 2]);
    expect(() => auto.apply(v, x, { method: "decode" })).toThrow(/"decode"/);
    const embed = new nn.Embed(5, 2);
    const table = embed.init(key, np.array([0], { dtype: "int32" }));
    expect((embed.apply(table, np.ones([1, 2]), { method: "attend" }) as NDArray).shape).toEqual([1, 5]);
  });

  it("makes variables from shapes alone: ShapeDtype inputs, evalShape of init, jit of init", () => {
    near(net.init(key, new ShapeDtype([2, 3], "float64")), variables, 0);
    const abstract = evalShape((k: NDArray) => net.init(k, x), key) as unknown as Record<string, Record<string, ShapeDtype>>;
    expect(abstract["params"]!["gain"]!.shape).toEqual([4]);
    near(jit((k: NDArray) => net.init(k, x))(key), variables, 1e-6);
  });

  it("takes settings among the inputs, and options after them", () => {
    class Train extends nn.Module {
      override call(v: NDArray, o: { train: boolean } = { train: false }): NDArray { return new nn.Dropout(0.5).call(v, { deterministic: !o.train }); }
    }
    const t = new Train();
    expect(t.init(key, new ShapeDtype([2], "float32"), { train: false })).toEqual({});
    near(t.apply({}, x), x);
    const y = t.apply({}, x, { train: true }, { rngs: { dropout: key } });
    expect(flat(y).every((v, i) => v === 0 || v === 2 * flat(x)[i]!)).toBe(true);
    near(t.apply({}, x, { train: true }, { rngs: { dropout: key } }), y, 0);
    expect(() => t.apply({}, x, { train: true })).toThrow(/stream "dropout"/);
  });
});

describe("Module under transforms", () => {
  const loss = (p: nn.VariableTree, input: NDArray): NDArray => nn.squaredError(net.apply({ params: p }, input)).mean();
  const wide = tree.map((a: NDArray) => a.astype("float64"), params) as nn.VariableTree;
  const unfused = (p: Record<string, NDArray>, input: NDArray): NDArray => {
    const q = p as unknown as Record<string, Record<string, NDArray>> & { gain: NDArray };
    const h = np.tanh(np.add(np.matmul(input, q["Dense_0"]!["kernel"]!), q["Dense_0"]!["bias"]!)).mul(q.gain);
    return np.square(np.add(np.matmul(h, q["Dense_1"]!["kernel"]!), q["Dense_1"]!["bias"]!)).mean();
  };

  it("grad, hvp and hessian agree with the written-out formula", () => {
    const p = wide as Record<string, NDArray>;
    near(grad(loss)(wide, x), grad(unfused)(p, x));
    const v = tree.map((a: NDArray) => np.cos(a), wide) as nn.VariableTree;
    near(hvp(loss, [wide, x], [v] as never)[1], hvp(unfused, [p, x], [v] as never)[1]);
    const [theta, unravel] = ravelPytree(wide);
    near(hessian((t: NDArray) => loss(unravel(t) as nn.VariableTree, x))(theta), hessian((t: NDArray) => unfused(unravel(t) as Record<string, NDArray>, x))(theta), 1e-9);
  });

  it("jit, checkpoint and vmap over examples change nothing", () => {
    near(jit(grad(loss))(wide, x), grad(loss)(wide, x));
    near(grad(checkpoint(loss))(wide, x), grad(loss)(wide, x));
    near(vmap((input: NDArray) => net.apply({ params: wide }, input))(x), net.apply({ params: wide }, x));
    near(vmap(grad(loss), { inAxes: [null, 0] })(wide, x), nn.stackVariables([0, 1].map((i) => grad(loss)(wide, x.get(i)))));
  });

  it("ensembles: init and apply mapped over keys and variables, Hessians too", () => {
    const keys = random.split(key, 3);
    const many = vmap((k: NDArray) => net.init(k, x))(keys);
    const each = [0, 1, 2].map((i) => net.init(keys.get(i), x));
    near(many, nn.stackVariables(each), 1e-6);
    near(vmap((v: nn.Variables) => net.apply(v, x))(many), np.stack(each.map((v) => net.apply(v, x))), 1e-5);
    const second = (v: nn.Variables): NDArray => hessian((input: NDArray) => net.apply(v, input).sum())(x.get(0));
    near(vmap(second)(many), np.stack(each.map(second)), 1e-4);
    near(nn.unstackVariables(many)[2], each[2], 1e-6);
  });

  it("scan over layers with stacked parameters, and inside a module", () => {
    const layer = new nn.Dense(3);
    const stacked = nn.stackVariables([0, 1, 2].map((i) => layer.init(random.key(i), x)));
    const [y] = scan((h: NDArray, v: nn.Variables) => [np.tanh(layer.apply(v, h)), null] as const, x.astype("float32"), stacked);
    near(y, nn.unstackVariables(stacked).reduce((h, v) => np.tanh(layer.apply(v, h)), x.astype("float32")), 1e-6);
    class Recurrent extends nn.Module {
      readonly cell = new nn.Dense(3);
      override call(h: NDArray): NDArray {
        if (this.isInitializing()) return this.cell.call(h);
        return scan((c: NDArray) => [np.tanh(this.cell.call(c)), null] as const, h, null, { length: 4 })[0];
      }
    }
    const r = new Recurrent();
    const v = r.init(key, x);
    const wideV = tree.map((a: NDArray) => a.astype("float64"), v) as nn.Variables;
    const loop = (u: nn.Variables, input: NDArray): NDArray => [0, 1, 2, 3].reduce((c) => np.tanh(layer.apply({ params: (u["params"] as Record<string, nn.VariableTree>)["cell"]! }, c)), input);
    near(grad((u: nn.Variables) => r.apply(u, x).sum())(wideV), grad((u: nn.Variables) => loop(u, x).sum())(wideV));
  });

  it("BatchNorm's state goes through jit and grad with hasAux", () => {
    class Bn extends nn.Module {
      override call(v: NDArray, o: { train: boolean }): NDArray { return new nn.Dense(1).call(new nn.BatchNorm({ momentum: 0.5 }).call(v, { useRunningAverage: !o.train })); }
    }
    const bn = new Bn();
    const v = bn.init(key, x, { train: true });
    const objective = (p: nn.VariableTree, state: nn.VariableTree): [NDArray, nn.Variables] => {
      const [y, next] = bn.apply({ params: p, batchStats: state }, x, { train: true }, { mutable: ["batchStats"] });
      return [nn.l2Loss(y).mean(), next];
    };
    const [g, next] = jit(grad(objective, { hasAux: true }))(v["params"]!, v["batchStats"]!);
    expect(flat(g).every(Number.isFinite)).toBe(true);
    near((next as Record<string, unknown>)["batchStats"], { BatchNorm_0: { mean: np.mean(x, 0).mul(0.5), var: np.var(x, 0).mul(0.5).add(0.5) } }, 1e-6);
  });
});

describe("Module errors", () => {
  const message = (f: () => unknown): string => {
    try { f(); } catch (e) { return `${(e as Error).name}: ${(e as Error).message}`; }
    return "no error";
  };

  it("names the path of a missing, an extra and a mis-shaped parameter", () => {
    const { Dense_0: _, ...rest } = params as Record<string, nn.VariableTree>;
    expect(message(() => net.apply({ params: rest }, x))).toMatch(/^TreeError.*params\.Dense_0\.kernel/);
    expect(message(() => net.apply({ params: { ...params, extra: { w: x } } }, x))).toMatch(/^TreeError.*params\.extra\.w/);
    expect(net.apply({ params: { ...params, extra: { w: x } } }, x, { strict: false }).shape).toEqual([2, 1]);
    const bad = { ...params, Dense_1: { kernel: np.ones([5, 1]), bias: np.ones([1]) } };
    expect(message(() => net.apply({ params: bad }, x))).toMatch(/^ShapeError.*params\.Dense_1\.kernel.*\[4,1\].*\[5,1\]/);
    expect(message(() => net.apply({ params: { ...params, gain: 1 } }, x))).toMatch(/params\.gain.*array of shape \[4\]/);
    expect(message(() => net.apply(params as never, x))).toMatch(/params|variables/);
    expect(message(() => net.apply(null as never, x))).toMatch(/TreeError/);
  });

  it("refuses names used twice, a call outside, a missing key, and writing to what is not mutable", () => {
    class Same extends nn.Module {
      override call(v: NDArray): NDArray { return new nn.Dense(1, { name: "a" }).call(new nn.Dense(3, { name: "a" }).call(v)); }
    }
    expect(message(() => new Same().init(key, x))).toMatch(/ArgumentError.*"a"/);
    class Double extends nn.Module {
      override call(): NDArray { return this.param("w", nn.initializers.ones, [1]).add(this.param("w", nn.initializers.ones, [1])); }
    }
    expect(message(() => new Double().init(key))).toMatch(/"w"/);
    expect(message(() => new nn.Dense(2).call(x))).toMatch(/outside of init and apply/);
    expect(message(() => net.init(3 as never, x))).toMatch(/ArgumentError.*rngs.*random\.key/);
    const bn = new nn.BatchNorm({ useRunningAverage: false });
    expect(message(() => bn.apply(bn.init(key, x), x))).toMatch(/mutable: \["batchStats"\]/);
    expect(message(() => new nn.BatchNorm().init(key, x))).toMatch(/useRunningAverage/);
    expect(() => new nn.Dense(0)).toThrow(ArgumentError);
    expect(() => new nn.Dropout(2)).toThrow(ArgumentError);
    expect(() => new nn.Dense(2, { name: "a/b" })).toThrow(ArgumentError);
    expect(message(() => new (class Empty extends nn.Module {})().init(key))).toMatch(/method call/);
    expect(() => new nn.GroupNorm({ numGroups: 3 }).init(key, np.ones([1, 4]))).toThrow(/dividing the 4 channels/);
    expect(() => new nn.Conv(4, [3, 3], { featureGroupCount: 3 }).init(key, np.ones([1, 4, 4, 2]))).toThrow(ShapeError);
  });

  it("finds the module's own scope from a function handed on, and refuses methods in class fields", () => {
    class Part extends nn.Module {
      override call(v: NDArray, f: () => NDArray): NDArray { return new nn.Dense(1).call(v).add(f()); }
    }
    class Whole extends nn.Module {
      override call(v: NDArray): NDArray { return new Part().call(v, () => this.param("shift", nn.initializers.ones, [1])); }
    }
    expect(Object.keys(nn.flattenParams(new Whole().init(key, x)))).toEqual(["params/Part_0/Dense_0/bias", "params/Part_0/Dense_0/kernel", "params/shift"]);
    class Field extends nn.Module {
      override call = (v: NDArray): NDArray => v.mul(this.param("w", nn.initializers.ones, []));
    }
    class Holder extends nn.Module {
      override call(v: NDArray): NDArray { return new Field().call(v); }
    }
    expect(message(() => new Holder().init(key, x))).toMatch(/class fields/);
  });

  it("says so when a parameter would be made inside an inner transform", () => {
    class Inside extends nn.Module {
      override call(v: NDArray): NDArray { return jit((w: NDArray) => new nn.Dense(2).call(w))(v); }
    }
    expect(message(() => new Inside().init(key, x))).toMatch(/ArgumentError.*Dense_0.*inner transforms/);
    expect(new Inside().apply(new Inside().init(key, new ShapeDtype([2, 3], "float64")), x).shape).toEqual([2, 2]);
  });

  it("leaves nothing behind after an exception", () => {
    class Fails extends nn.Module {
      override call(v: NDArray): NDArray { new nn.Dense(2).call(v); throw new Error("on purpose"); }
    }
    class Around extends nn.Module {
      override call(v: NDArray): NDArray { return new Fails().call(v); }
    }
    for (const f of [() => new Around().init(key, x), () => jit((v: NDArray) => new Around().init(key, v))(x), () => grad((v: NDArray) => new Fails().apply({}, v))(x)]) expect(f).toThrow();
    expect(message(() => new nn.Dense(2).call(x))).toMatch(/outside of init and apply/);
    near(net.apply(variables, x), net.apply(variables, x), 0);
    expect(() => nn.getParameter("w", [1])).toThrow(ArgumentError);
  });

  it("a traced variable kept outside is reported as leaked", () => {
    let kept: NDArray | undefined;
    jit((v: NDArray) => { kept = net.apply(variables, v); return kept; })(x);
    expect(() => kept!.add(1)).toThrow(LeakedTracerError);
  });
});
