import { describe, expect, it } from "vitest";
import { ArgumentError, BackendError, ConcretizationError, LeakedTracerError, defaultDevice, defaultFloat, devicePut, evalShape, foriLoop, jit, map, np, type NDArray, scan, setDefaultFloat, ShapeDtype, switchCase, vmap, whileLoop } from "../index.js";
import { currentTrace, eagerTrace } from "../extend.js";

describe("jit", () => {
  it("keeps static arguments apart: functions by identity, data by content", () => {
    const apply = jit((x: NDArray, o: { f: (v: NDArray) => NDArray; n: number }) => o.f(x).mul(o.n), { staticArgnums: 1 });
    expect(apply(np.array(4), { f: np.sqrt, n: 2 }).item()).toBe(4);
    expect(apply(np.array(4), { f: np.square, n: 2 }).item()).toBe(32);
    expect(apply(np.array(4), { f: np.square, n: 3 }).item()).toBe(48);
    expect(apply(np.array(4), { n: 3, f: np.square }).item()).toBe(48);
    expect(apply.stats().compiles).toBe(3);
    const nan = jit((x: NDArray, s: unknown) => np.add(x, String(s) === "null" ? 1 : 2), { staticArgnums: -1 });
    expect([nan(np.array(0), null).item(), nan(np.array(0), NaN).item()]).toEqual([1, 2]);
    expect(() => apply(np.array(1), { f: np.ones([1]) } as never)).toThrow(/staticArgnums/);
  });

  it("traces anew when the default float changes", () => {
    const f = jit((i: NDArray) => np.sin(i));
    const i = np.array([1, 2]).astype("int32");
    expect(f(i).dtype).toBe("float64");
    const before = defaultFloat();
    setDefaultFloat("float32");
    try {
      expect(f(i).dtype).toBe("float32");
    } finally {
      setDefaultFloat(before);
    }
  });

  it("makes the arrays inside it on the device of its arguments", async () => {
    const f = jit((v: NDArray) => v.add([1, 2]).mul(np.array([1, 2])));
    expect(f(np.ones([2])).device).toBe(defaultDevice());
    const y = f(await devicePut(np.ones([2]), "reference"));
    expect([y.device, y.toArray()]).toEqual(["reference", [2, 6]]);
    expect(f(np.ones([2])).device).toBe(defaultDevice());
  });

  it("gives nothing away when a donated array is needed twice", () => {
    const f = jit((a: NDArray, b: NDArray) => np.add(a, b), { donateArgnums: 0 });
    const x = np.ones([3]);
    expect(() => f(x, x)).toThrow(ArgumentError);
    expect(x.toArray()).toEqual([1, 1, 1]);
    expect(f(np.copy(x), x).toArray()).toEqual([2, 2, 2]);
    expect(f(x, np.ones([3])).toArray()).toEqual([2, 2, 2]);
    expect(() => x.toArray()).toThrow(/donated/);
  });

  it("gives nothing away when the call finds no room", () => {
    const f = jit((a: NDArray, b: NDArray) => [a.add(1), np.add(b.reshape([-1, 1]), b)], { donateArgnums: 0 });
    for (const n of [3, 5000]) {
      const x = np.arange(n);
      expect(() => f(x, np.ones([40_000]))).toThrow(BackendError);
      expect(x.get(2).item()).toBe(2);
      expect(f(x, np.ones([2]))[0]!.get(2).item()).toBe(3);
      expect(() => x.toArray()).toThrow(/donated/);
    }
  });

  it("does not pass a donated argument through, whether or not it was lowered before", () => {
    const f = jit((a: NDArray) => a, { donateArgnums: 0 });
    const x = np.ones([2]);
    f.lower(x).compile();
    expect(f(x).toArray()).toEqual([1, 1]);
  });

  it("returns arrays of their own: to give one away leaves the other", () => {
    const x = np.arange(5000);
    const y = jit((a: NDArray) => a)(x);
    expect(y === x).toBe(false);
    jit((a: NDArray) => a.add(1), { donateArgnums: 0 })(x);
    expect(y.data[4999]).toBe(4999);
    y.dispose();
    expect(() => x.toArray()).toThrow(/donated/);
  });

  it("returns inputs, constants, duplicates and nothing", () => {
    const c = np.array([5, 6]);
    const f = jit((x: NDArray) => ({ x, c, twice: [x, x, x.add(1), x.add(1)], seven: 7, none: null, T: c.reshape([2, 1]) }));
    const r = f(np.array([1, 2]));
    expect([r.x.toArray(), r.c.toArray(), r.twice.map((v) => v.toArray()), (r.seven as unknown as NDArray).item(), r.none, r.T.toArray()]).toEqual([[1, 2], [5, 6], [[1, 2], [1, 2], [2, 3], [2, 3]], 7, null, [[5], [6]]]);
    expect(jit(() => undefined)()).toBeUndefined();
    expect(jit(() => [])()).toEqual([]);
  });

  it("traces anew where it had closed over a value that is gone", () => {
    let w: NDArray | number = 1;
    const f = jit((x: NDArray) => np.multiply(x, w));
    const outer = (k: number) => vmap((v: NDArray) => { w = v; return f(np.array(2)); })(np.array([k, k + 1])).toArray();
    expect(outer(3)).toEqual([6, 8]);
    expect(outer(5)).toEqual([10, 12]);
  });

  it("names function and argument of what is no array", () => {
    expect(() => jit((x: unknown) => x)({ a: ["s"] })).toThrow(/jit\(argument 0\.a\[0\]\).*the string "s"/);
    expect(() => jit(((x: NDArray) => Promise.resolve(x)) as never)(1 as never)).toThrow(/synchronous/);
    expect(() => jit("f" as never)).toThrow(ArgumentError);
    expect(() => jit((x: NDArray) => x, { staticArgNums: 0 } as never)).toThrow(/unknown option/);
  });

  it("JavaScript operators on traced values throw, and the trace is put back", () => {
    const uses: ((x: NDArray) => unknown)[] = [(x) => (x as never) > 0, (x) => (x as never) + 1, (x) => JSON.stringify(x), (x) => (x as never) >= 1, (x) => Number(x), (x) => x.item(), (x) => x.toArray(), (x) => x.data];
    for (const use of uses) expect(() => jit((x: NDArray) => { use(x); return x; })(np.array(1))).toThrow(ConcretizationError);
    expect(() => jit((x: NDArray) => { for (const y of x) return y; return x; })(np.array(1))).toThrow(/for\.\.\.of/);
    expect(currentTrace()).toBe(eagerTrace);
    let leaked: NDArray | undefined;
    jit((x: NDArray) => (leaked = x.mul(2)))(np.array(1));
    expect(() => np.add(leaked!, 1)).toThrow(LeakedTracerError);
    expect(() => jit((y: NDArray) => y.add(leaked!))(np.array(1))).toThrow(LeakedTracerError);
  });
});

describe("arguments from plain JavaScript", () => {
  it.each<[string, () => unknown, RegExp]>([
    ["vmap", () => vmap(1 as never), /vmap\(f\)/],
    ["vmap outAxes", () => vmap((x: NDArray) => x, { outAxes: 0.5 })(np.ones([2])), /outAxes/],
    ["vmap prefix", () => vmap((x: { b: NDArray }) => x.b, { inAxes: [{ a: 0, b: null }] })({ b: np.ones([2]), c: np.ones([2]) } as never), /inAxes/],
    ["vmap sizes", () => vmap((x: { a: NDArray }, y: NDArray) => x.a.add(y))({ a: np.ones([2]) }, np.ones([3])), /argument 0\.a: float64\[2\] axis 0 of size 2; argument 1: float64\[3\]/],
    ["scan length", () => scan((c: NDArray, x: null) => [c, x] as const, np.ones([]), null, { length: -1 }), /scan\(length\)/],
    ["scan body", () => scan((c: NDArray) => [c, "y"] as never, np.ones([]), np.ones([2])), /scan\(y returned\)/],
    ["map", () => map(1 as never, np.ones([2])), /map\(f\)/],
    ["map scalar", () => map((x: NDArray) => x, np.array(1)), /map\(xs\)/],
    ["foriLoop", () => foriLoop(0, 3, undefined as never, 0), /foriLoop\(body\)/],
    ["foriLoop bound", () => foriLoop(0, np.ones([2]), (_i, s: NDArray) => s, np.array(0)), /foriLoop\(upper\)/],
    ["whileLoop", () => whileLoop(1 as never, (x: NDArray) => x, np.array(0)), /whileLoop\(condition\)/],
    ["switchCase", () => switchCase(0, [1 as never]), /switchCase\(branch 0\)/],
    ["ShapeDtype", () => new ShapeDtype([1], "float99" as never), /ShapeDtype\(dtype\)/],
    ["evalShape", () => evalShape(1 as never), /evalShape\(f\)/],
  ])("%s", (_name, f, text) => {
    expect(f).toThrow(/^\[hessia:/);
    expect(f).toThrow(text);
    expect(currentTrace()).toBe(eagerTrace);
  });

  it("evalShape gives the types of a tree of results", () => {
    const r = evalShape((a: NDArray, b: NDArray) => ({ y: np.matmul(a, b), n: [a.sum()] }), new ShapeDtype([2, 3], "float32"), new ShapeDtype([3, 4], "float32"));
    expect([r.y.shape, r.y.dtype, r.n[0]!.shape]).toEqual([[2, 4], "float32", []]);
  });
});
