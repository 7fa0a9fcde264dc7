import { describe, expect, it } from "vitest";
import { ArgumentError, AxisError, DTypeError, jit, NDArray, np, ShapeError, vmap } from "@hessia/core";

const x = np.array([[0.5, -1.25, 2], [3, 0.1, -0.7]]);
const y = np.array([[1.5, 0.25, -2], [0.3, 4, 0.9]]);
const values = (v: unknown): unknown => (v instanceof NDArray ? [v.shape, v.dtype, Array.from(v.data)] : Array.isArray(v) ? v.map(values) : v);

describe("np under transforms", () => {
  const functions: Record<string, (a: NDArray, b: NDArray) => NDArray> = {
    hypot: np.hypot, logaddexp: np.logaddexp, remainder: np.remainder, floorDivide: np.floorDivide, power: (a) => np.power(a, 3), copysign: np.copysign, fmax: np.fmax,
    sinc: (a) => np.sinc(a), round: (a) => np.round(a, 1), clip: (a) => np.clip(a, -1, 1), nanToNum: (a) => np.nanToNum(a), isclose: (a, b) => np.isclose(a, b),
    sum: (a) => np.sum(a, -1), mean: (a) => np.mean(a), var: (a) => np.var(a, -1, { ddof: 1 }), median: (a) => np.median(a), quantile: (a) => np.quantile(a, [0.2, 0.7], -1),
    matmul: (a, b) => np.matmul(a, np.reshape(b, [-1])), dot: (a, b) => np.dot(a, b), outer: np.outer, tensordot: (a, b) => np.tensordot(a, b, 1), einsum: (a, b) => np.einsum("i,j->ij", a, b), kron: np.kron,
    cumsum: (a) => np.cumsum(a), diff: (a) => np.diff(a), interp: (a) => np.interp(a, [-1, 0, 2], [0, 3, 1]), convolve: (a, b) => np.convolve(a, b), gradient: (a) => np.gradient(a) as NDArray,
    histogram: (a) => np.histogram(a, 4, { range: [-2, 4] })[0], cov: (a, b) => np.cov(a, b), argmax: (a) => np.argmax(a), trapezoid: (a) => np.trapezoid(a), diag: (a) => np.diag(a, 1), vander: (a) => np.vander(a),
    linspace: (a) => np.linspace(0, a, 3), logspace: (a) => np.logspace(0, a, 3), gcd: (a) => np.gcd(np.astype(a, "int32"), 2), ldexp: (a) => np.ldexp(a, 2), polyval: (a, b) => np.polyval(a, b), unwrap: (a) => np.unwrap(a),
  };
  for (const [name, f] of Object.entries(functions)) {
    const rows = [0, 1].map((i) => f(x.get(i), y.get(i)));
    it(`${name}: jit equals eager`, () => {
      const got = jit((a: NDArray, b: NDArray) => f(a, b))(x.get(0), y.get(0));
      expect([got.shape, got.dtype]).toEqual([rows[0]!.shape, rows[0]!.dtype]);
      Array.from(got.data).forEach((v, i) => expect(v).toBeCloseTo(rows[0]!.data[i]!, 13));
    });
    it(`${name}: vmap equals a loop`, () => {
      const got = vmap((a: NDArray, b: NDArray) => f(a, b))(x, y);
      expect([got.shape, got.dtype]).toEqual([[2, ...rows[0]!.shape], rows[0]!.dtype]);
      Array.from(got.data).forEach((v, i) => expect(v).toBeCloseTo([...rows[0]!.data, ...rows[1]!.data][i]!, 13));
    });
  }
});

describe("dtypes", () => {
  const i = np.array([1, 2], { dtype: "int32" });
  const f = np.array([1, 2], { dtype: "float32" });
  const b = np.array([true, false]);
  it.each<[string, () => NDArray, string]>([
    ["numbers keep float32", () => np.add(f, 1.5), "float32"], ["whole numbers keep integers", () => np.add(i, 1), "int32"], ["int32 and float32", () => np.multiply(i, f), "float32"], ["divide", () => np.divide(i, i), "float64"],
    ["bool sums count", () => np.sum(b), "int32"], ["bool products count", () => np.prod(b), "int32"], ["bool cumsum", () => np.cumsum(b), "int32"], ["means are floats", () => np.mean(i), "float64"],
    ["float32 means stay", () => np.mean(f), "float32"], ["add of bool", () => np.add(b, b), "bool"], ["bool and number", () => np.add(b, 1), "int32"], ["comparison", () => np.less(i, f), "bool"],
    ["array of numbers", () => np.array([1, 2]), "float64"], ["arange of whole numbers", () => np.arange(3), "int32"], ["argmax", () => np.argmax(f), "int32"], ["power of integers", () => np.power(i, 2), "int32"],
    ["floor keeps integers", () => np.floor(i), "int32"], ["sin of integers", () => np.sin(i), "float64"], ["histogram", () => np.histogram(f)[0], "int32"],
  ])("%s", (_, make, dtype) => {
    const v = make();
    expect(v.dtype).toBe(dtype);
    expect(v.weak && v.ndim > 0).toBe(false);
  });
  it("numbers that integers cannot hold make weak floats, as in JAX", () => {
    for (const v of [np.add(i, 0.5), np.add(i, 3e9)]) expect([v.dtype, v.weak]).toEqual(["float64", true]);
    expect(np.add(np.add(i, 0.5), f).dtype).toBe("float32");
  });
  it("compares integers with large numbers rightly", () => expect(np.less(i, 3e9).toArray()).toEqual([true, true]));
});

describe("signed zeros, infinities and large arguments", () => {
  it("remainder takes the divisor's sign at zero", () => {
    const r = np.remainder([-0, 0, 6, -6], [1, -1, -3, 3]).data;
    expect([...r].map((v) => Object.is(v, -0))).toEqual([false, true, true, false]);
  });
  it("modf and copysign keep signs", () => {
    expect(Object.is(np.modf(-3)[0].item(), -0)).toBe(true);
    expect(np.signbit([-0, 0, -1]).toArray()).toEqual([true, false, true]);
  });
  it("hypot neither over- nor underflows", () => {
    const [large, small, infinite, zero] = np.hypot([3e300, 3e-300, Infinity, 0], [4e300, 4e-300, NaN, 0]).data;
    expect(large! / 5e300).toBeCloseTo(1, 15);
    expect(small! / 5e-300).toBeCloseTo(1, 15);
    expect([infinite, zero]).toEqual([Infinity, 0]);
    expect(np.hypot(np.array([3e30], { dtype: "float32" }), np.array([4e30], { dtype: "float32" })).item()).toBeCloseTo(5e30, -25);
  });
  it("powers: 0 ** 0, negative bases, negative exponents", () => {
    expect(np.power([0, -2], 0).toArray()).toEqual([1, 1]);
    expect(np.power([-2, 3], 3).toArray()).toEqual([-8, 27]);
    expect(np.power([-2, 4], -2).toArray()).toEqual([0.25, 0.0625]);
    expect(np.power(np.array([2], { dtype: "int32" }), 31).toArray()).toEqual([-2147483648]);
  });
});

describe("errors name the function, the argument and the remedy", () => {
  const bad = (v: unknown) => v as number;
  it.each<[string, () => unknown, new (...args: never[]) => Error, RegExp]>([
    ["matmul", () => np.matmul(np.ones([2, 3]), np.ones([4, 5])), ShapeError, /matmul\(b\): expected b\.shape\[0\] = 3 \(the last axis of a, \[2,3\]\), got \[4,5\]\. Fix: transpose b/],
    ["matmul of a scalar", () => np.matmul(2, [1, 2]), ShapeError, /matmul\(a\)/], ["broadcast", () => np.add([1, 2], [1, 2, 3]), ShapeError, /add: expected shapes that broadcast/],
    ["undefined", () => np.add(bad(undefined), 1), ArgumentError, /add\(a\): .* got undefined/], ["null", () => np.multiply(1, bad(null)), ArgumentError, /multiply\(b\)/], ["text", () => np.sin(bad("x")), ArgumentError, /sin\(x\)/],
    ["axis", () => np.sum([1, 2], 3), AxisError, /sum\(axis\)/], ["options as axis", () => np.mean([1], bad({ keepdims: true })), ArgumentError, /mean\(axis\)/],
    ["unknown option", () => np.sum([1], 0, { keepdim: true } as object), ArgumentError, /"keepdim"/], ["dtype word", () => np.zeros([2], { dtype: "double" as "float64" }), DTypeError, /zeros\(dtype\)/],
    ["ragged", () => np.array([[1, 2], [3]]), ShapeError, /array\(x\)/], ["negative size", () => np.ones([-1]), ShapeError, /ones\(shape\)/], ["empty max", () => np.max(np.zeros([0])), ShapeError, /at least one element/],
    ["einsum letters", () => np.einsum("ij", np.ones([2])), ArgumentError, /einsum\(subscripts\)/], ["einsum sizes", () => np.einsum("ij,jk", np.ones([2, 3]), np.ones([4, 2])), ShapeError, /axis "j"/],
    ["negative integer power", () => np.power(np.array([2], { dtype: "int32" }), -1), ArgumentError, /power\(b\)/], ["float bits", () => np.bitwiseAnd(1.5, 2), DTypeError, /bitwiseAnd/],
    ["quantile range", () => np.quantile([1, 2], 1.5), ArgumentError, /quantile\(q\)/], ["arange step", () => np.arange(0, 1, 0), ArgumentError, /arange\(step\)/], ["negated bool", () => np.negative(true), DTypeError, /negative\(x\)/],
    ["bincount of negatives", () => np.bincount(np.array([-1], { dtype: "int32" })), ArgumentError, /bincount\(x\)/], ["convolve of matrices", () => np.convolve(np.ones([2, 2]), [1]), ShapeError, /convolve\(a\)/],
  ])("%s", (_, f, kind, text) => {
    expect(f).toThrow(kind);
    expect(f).toThrow(text);
  });
});

describe("creation", () => {
  it("makes copies of typed arrays", () => {
    const data = new Float32Array([1, 2]);
    const a = np.array(data);
    data[0] = 9;
    expect(values(a)).toEqual([[2], "float32", [1, 2]]);
  });
  it("grids", () => {
    expect(np.mgrid("0:2", "0:3").toArray()).toEqual([[[0, 0, 0], [1, 1, 1]], [[0, 1, 2], [0, 1, 2]]]);
    expect(np.ogrid({ start: 0, stop: 1, num: 3 }, "0:2").map((v) => v.toArray())).toEqual([[[0], [0.5], [1]], [[0, 1]]]);
    expect(np.fromfunction((i, j) => np.add(i, j), [2, 2]).toArray()).toEqual([[0, 1], [1, 2]]);
  });
  it("is recorded as equations under jit, not captured", () => {
    const f = jit((a: NDArray) => np.add(a, np.ones([2])).add(np.arange(2)).add(np.eye(2).sum()));
    expect(f(np.zeros([2])).toArray()).toEqual([3, 4]);
    expect(f.lower(np.zeros([2])).program.inputs.length).toBe(1);
  });
});
