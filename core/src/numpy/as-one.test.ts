import { describe, expect, it } from "vitest";
import { jit, memory, type NDArray, np, setDefaultFloat } from "../index.js";

/** Entries into compiled code of a second call. */
function runs(f: () => unknown): number {
  f();
  const before = memory().runs;
  f();
  return memory().runs - before;
}

const x = np.array(Float64Array.from({ length: 12 }, (_, i) => Math.sin(i)));
const X = np.reshape(x, [3, 4]);
const k = np.array(Int32Array.from([3, -1, 0, 7, 7, 2, 5, 1, 0, 4, -3, 6]));

/** Composites that run as one program eagerly. */
const composites: Record<string, () => NDArray> = {
  "diff": () => np.diff(X, 2), "diff axis 0": () => np.diff(X, 1, 0), "ediff1d": () => np.ediff1d(X), "trapezoid": () => np.trapezoid(X), "unwrap": () => np.unwrap(x),
  "cross": () => np.cross(np.reshape(x, [4, 3]), np.reshape(x, [4, 3])), "tile": () => np.tile(X, [2, 3]), "repeat": () => np.repeat(X, 2, 1), "rot90": () => np.rot90(X), "roll": () => np.roll(X, 1, 1),
  "tril": () => np.tril(X), "triu": () => np.triu(X, 1), "diag": () => np.diag(x), "diagonal": () => np.diagonal(X), "trace": () => np.trace(X), "vander": () => np.vander(x, 3), "eye": () => np.eye(3, 4, 1), "tri": () => np.tri(3),
  "vecdot": () => np.vecdot(X, X), "kron": () => np.kron(X, x), "inner": () => np.inner(x, x), "outer": () => np.outer(x, x), "vdot": () => np.vdot(x, x), "pad": () => np.pad(X, 1), "pad edge": () => np.pad(X, [1, 2], "edge"),
  "take": () => np.take(x, k), "takeAlongAxis": () => np.takeAlongAxis(X, np.argsort(X, 1), 1), "digitize": () => np.digitize(x, np.sort(x)), "interp": () => np.interp(x, np.sort(x), x), "arrayEqual": () => np.arrayEqual(X, X),
  "isclose": () => np.isclose(X, X), "nansum": () => np.nansum(X, 0), "nanmax": () => np.nanmax(X, 1), "nanmean": () => np.nanmean(X), "nanstd": () => np.nanstd(X), "ptp": () => np.ptp(X, 0), "countNonzero": () => np.countNonzero(X),
  "bitwiseCount": () => np.bitwiseCount(k), "gcd": () => np.gcd(k, k), "linspace": () => np.linspace(0, 1, 7, { dtype: "float32" }), "select": () => np.select([np.less(x, 0)], [x], 2), "integer division": () => np.divide(k, k), "mixed types": () => np.add(k, x), "exp of integers": () => np.exp(k), "mean of integers": () => np.mean(k), "mean of bool": () => np.mean(np.array([true, false, true]), 0, { keepdims: true }), "indices": () => np.indices([2, 3]), "logic of numbers": () => np.logicalAnd(k, x),
};
/** What prepares the operands of some of them. */
const prepared: Record<string, number> = { cross: 2, takeAlongAxis: 1, digitize: 1, interp: 1, select: 1 };

describe("composites as one program", () => {
  for (const [name, f] of Object.entries(composites))
    it(`${name}: one entry into compiled code, the values of the traced steps`, () => {
      expect(runs(f) - (prepared[name] ?? 0)).toBeLessThanOrEqual(1);
      const traced = jit(() => f())();
      expect([f().dtype, f().shape]).toEqual([traced.dtype, traced.shape]);
      expect([...f().data]).toEqual([...traced.data]);
    });

  it("settings and types tell programs apart", () => {
    expect(np.roll(x, 1).data[0]).toBe(x.data[11]);
    expect(np.roll(x, 2).data[0]).toBe(x.data[10]);
    expect(np.roll(x, -1).data[0]).toBe(x.data[1]);
    expect(np.tile(k, 2).dtype).toBe("int32");
    expect(np.tile(x, 2).dtype).toBe("float64");
    expect(np.tile(x, [2]).shape).toEqual([24]);
    expect(np.tile(x, [2, 1]).shape).toEqual([2, 12]);
    expect(np.pad(x, 1, "constant", { constantValues: 5 }).data[0]).toBe(5);
    expect(np.pad(x, 1, "constant", { constantValues: 6 }).data[0]).toBe(6);
    expect(np.pad(x, 1, "constant", { constantValues: np.array(7) }).data[0]).toBe(7);
  });

  it("the default float tells programs apart", () => {
    const made = () => [np.eye(3), np.tri(3), np.exp(k), np.divide(k, k), np.mean(k), np.nanmean(k), np.trapezoid(k)].map((y) => y.dtype);
    expect(new Set(made())).toEqual(new Set(["float64"]));
    setDefaultFloat("float32");
    try {
      expect(new Set(made())).toEqual(new Set(["float32"]));
    } finally {
      setDefaultFloat("float64");
    }
    expect(new Set(made())).toEqual(new Set(["float64"]));
  });

  it("arrays among the settings, lists, and modes with tables of their own run step by step, with the same result", () => {
    expect([...np.repeat(np.array([1, 2]), np.array(Int32Array.of(2, 1))).data]).toEqual([1, 1, 2]);
    for (let again = 0; again < 3; again++) expect([...np.pad(np.array([1, 2, 3]), 1, "reflect").data]).toEqual([2, 1, 2, 3, 2]);
    expect([...np.take([4, 5, 6], [2, -1, 0]).data]).toEqual([6, 6, 4]);
    expect(() => np.take([4, 5, 6], [3])).toThrow(/take/);
    expect(() => np.choose(np.array(Int32Array.of(0, 2)), [[1, 2], [3, 4]])).toThrow(/choose/);
    expect(() => np.diff(x, -1)).toThrow(/diff\(n\)/);
  });
});
