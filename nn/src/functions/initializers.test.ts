import { ArgumentError, jit, type NDArray, np, random, ShapeError, vmap } from "@hessia/core";
import { describe, expect, it } from "vitest";
import golden from "../fixtures/initializers.json" with { type: "json" };
import { initializers } from "../index.js";

type Make = (...args: unknown[]) => initializers.Initializer;
const plain: Record<string, initializers.Initializer> = { zeros: initializers.zeros, ones: initializers.ones };
const flat = (x: NDArray): number[] => Array.from(np.ravel(x).toArray() as number[]);

describe("initializers", () => {
  it.each(golden.map((c) => [`${c.name}(${JSON.stringify(c.args).slice(1, -1)}) [${c.shape}] ${c.dtype}`, c] as const))("%s draws JAX's numbers", (_title, c) => {
    const init = plain[c.name] ?? (initializers as unknown as Record<string, Make>)[c.name]!(...c.args);
    const y = init(random.key(7), c.shape, c.dtype as "float32");
    expect(y.dtype).toBe(c.dtype);
    expect(y.shape).toEqual(c.shape);
    // erfInv and its kin differ in the last bits between libraries; orthogonal ones go through a factorization.
    const eps = c.dtype === "float32" ? 2 ** -24 : 2 ** -53;
    const ulps = c.name.toLowerCase().includes("orthogonal") ? 512 : /uniform|constant|zeros|ones/i.test(c.name + JSON.stringify(c.args)) ? 0 : c.dtype === "float64" ? 32 : 8;
    flat(y).forEach((v, i) => expect(Math.abs(v - c.values[i]!), `element ${i}: got ${v}, want ${c.values[i]}`).toBeLessThanOrEqual(ulps * eps * Math.abs(c.values[i]!)));
  });

  it("is float32 unless asked", () => expect(initializers.heNormal()(random.key(0), [2, 2]).dtype).toBe("float32"));

  it("has the variances promised", () => {
    const spread = (x: NDArray): number => np.std(x).item() as number;
    expect(spread(initializers.heNormal()(random.key(1), [200, 300]))).toBeCloseTo(Math.sqrt(2 / 200), 3);
    expect(spread(initializers.glorotUniform()(random.key(1), [200, 300]))).toBeCloseTo(Math.sqrt(2 / 500), 3);
  });

  it("orthogonal matrices are orthogonal, under jit and vmap too", () => {
    const init = initializers.orthogonal();
    const draw = (k: NDArray): NDArray => init(k, [40, 40], "float64");
    for (const q of [draw(random.key(3)), jit(draw)(random.key(3)), vmap(draw)(random.split(random.key(3), 2)).get(1)]) {
      const error = np.max(np.abs(np.subtract(np.matmul(q.T, q), np.eye(40)))).item() as number;
      expect(error).toBeLessThan(1e-14);
    }
  });

  it("names what is wrong", () => {
    expect(() => initializers.lecunNormal()(random.key(0), [3])).toThrow(ShapeError);
    expect(() => initializers.varianceScaling(1, "fan" as "fan_in", "normal")).toThrow(ArgumentError);
    expect(() => initializers.orthogonal()(random.key(0), [3])).toThrow(ShapeError);
    expect(() => initializers.deltaOrthogonal()(random.key(0), [3, 4, 2])).toThrow(ShapeError);
  });
});
