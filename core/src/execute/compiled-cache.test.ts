import { describe, expect, it } from "vitest";
import type { Backend } from "../backends/backend.js";
import { referenceBackend } from "../backends/reference/index.js";
import { registerBackend, unregisterBackend, withDevice } from "../backends/registry.js";
import { np } from "../index.js";
import { memory } from "../transforms/device.js";
import { eagerCacheStats } from "./eager.js";

const misses = (f: () => unknown): number => {
  const before = eagerCacheStats().misses;
  f();
  return eagerCacheStats().misses - before;
};

describe("compiled primitives", () => {
  it("belong to a backend, not to its name", () => {
    const compiledBy: string[] = [];
    const named = (who: string): Backend => ({
      name: "test.twice", dtypes: referenceBackend.dtypes,
      write: (dtype, data) => referenceBackend.write(dtype, data), read: (x) => referenceBackend.read(x), memory: () => referenceBackend.memory(),
      compile: (schedule) => {
        compiledBy.push(who);
        return referenceBackend.compile(schedule);
      },
    });
    for (const who of ["first", "second"]) {
      registerBackend(named(who));
      withDevice("test.twice", () => np.negative(np.ones([3])));
    }
    unregisterBackend("test.twice");
    expect(new Set(compiledBy)).toEqual(new Set(["first", "second"]));
  });

  it("are found again by structure: types, weakness and params tell them apart", () => {
    const x = np.array([[1, 2, 3], [4, 5, 6]]);
    np.sum(x, 0);
    expect(misses(() => expect(np.sum(x, 0).toArray()).toEqual([5, 7, 9]))).toBe(0);
    expect(np.sum(x, 1).toArray()).toEqual([6, 15]);
    expect(np.sum(x, [0, 1]).item()).toBe(21);
    expect(np.sum(x.reshape(3, 2), 0).toArray()).toEqual([9, 12]);
    expect(np.sum(x.astype("int32"), 0).dtype).toBe("int32");
    expect(np.sum(x, 0).toArray()).toEqual([5, 7, 9]);
    expect(np.add(np.array(1), np.array(2)).weak).toBe(false);
    expect(np.add(1, 2).weak).toBe(true);
  });

  it("survive more shapes than the last few, and stay bounded", () => {
    const shapes = Array.from({ length: 40 }, (_, n) => np.ones([n + 1]));
    for (const x of shapes) np.negative(x);
    expect(misses(() => shapes.forEach((x) => expect(np.negative(x).size).toBe(x.size)))).toBe(0);
    for (let n = 1; n < 2300; n++) np.negative(np.zeros([n, 0]));
    expect(eagerCacheStats().size).toBeLessThanOrEqual(2048);
    // Those forgotten are compiled again.
    expect(np.negative(shapes[3]!).toArray()).toEqual([-1, -1, -1, -1]);
    expect(memory().runs).toBeGreaterThan(0);
  });
});
