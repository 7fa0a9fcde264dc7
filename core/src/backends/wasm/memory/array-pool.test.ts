import { describe, expect, it } from "vitest";
import { jit, type NDArray, np } from "../../../index.js";
import { ArrayPool } from "./array-pool.js";

describe("spare arrays", () => {
  it("come back by dtype and length, each once", () => {
    const pool = new ArrayPool();
    const a = new Float64Array(100);
    pool.give("float64", a);
    expect(pool.bytes).toBe(800);
    expect(pool.take("float32", 100)).toBeInstanceOf(Float32Array);
    expect(pool.take("float64", 99)).toHaveLength(99);
    expect(pool.take("float64", 100)).toBe(a);
    expect(pool.bytes).toBe(0);
    expect(pool.take("float64", 100)).not.toBe(a);
  });

  it("are bounded, and arrays that cost nothing are not kept", () => {
    const pool = new ArrayPool(40_000);
    pool.give("int32", new Int32Array(16));
    pool.give("int32", new Int32Array(1000));
    expect(pool.bytes).toBe(0);
    for (let i = 0; i < 100; i++) {
      pool.give("int32", new Int32Array(100 + i));
      expect(pool.bytes).toBeLessThanOrEqual(40_000);
    }
  });

  it("never change what was read before, nor an array that lives", () => {
    const f = jit((x: NDArray) => np.add(x, 1));
    const x = np.arange(100);
    const first = f(x);
    const read = first.data;
    const nested = first.toArray();
    first.dispose();
    const second = f(first === x ? x : np.multiply(x, 2));
    expect([...read]).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(nested).toEqual([...read]);
    expect([...second.data]).toEqual(Array.from({ length: 100 }, (_, i) => 2 * i + 1));
    let carried = np.zeros([100]);
    const step = jit((v: NDArray) => np.add(v, 1), { donateArgnums: [0] });
    const kept = [];
    for (let i = 0; i < 20; i++) {
      carried = step(carried);
      if (i % 5 === 0) kept.push(np.multiply(carried, 1));
    }
    expect(kept.map((k) => [k.get(0).item(), k.get(99).item()])).toEqual([[1, 1], [6, 6], [11, 11], [16, 16]]);
  });

  it("a large array given away twice is spare once", () => {
    const x = np.arange(50);
    const y = np.negative(x);
    y.dispose();
    y.dispose();
    const [a, b] = [np.add(x, 1), np.add(x, 2)];
    expect([a.get(3).item(), b.get(3).item()]).toEqual([4, 5]);
  });
});
