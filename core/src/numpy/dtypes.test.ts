import { describe, expect, it } from "vitest";
import { np } from "@hessia/core";

describe("dtypes", () => {
  it("promotes by JAX's lattice", () => {
    expect(np.promoteTypes("int32", "float32")).toBe("float32");
    expect(np.promoteTypes("uint32", "int32")).toBe("int32");
    expect(np.resultType(new Float32Array(1), 1)).toBe("float32");
    expect(np.resultType(new Int32Array(1), 1)).toBe("int32");
    expect(np.resultType(new Int32Array(1), 0.5)).toBe("float64");
    expect(np.resultType("bool", "uint32")).toBe("uint32");
    expect(() => np.promoteTypes("int64" as "int32", "int32")).toThrow(/promoteTypes\(a\)/);
    // What the types say is what the functions do.
    for (const a of ["bool", "int32", "uint32", "float32", "float64"] as const)
      for (const b of ["bool", "int32", "uint32", "float32", "float64"] as const)
        expect(np.concatenate([np.ones([1], { dtype: a }), np.ones([1], { dtype: b })]).dtype).toBe(np.promoteTypes(a, b));
  });
  it("says what casts keep", () => {
    expect(np.canCast("int32", "float32")).toBe(false);
    expect(np.canCast("int32", "float64")).toBe(true);
    expect(np.canCast("float64", "float32", "same_kind")).toBe(true);
    expect(np.canCast("float32", "int32", "same_kind")).toBe(false);
    expect(np.canCast("float32", "int32", "unsafe")).toBe(true);
    expect(np.canCast("bool", "bool", "no")).toBe(true);
  });
  it("knows the limits", () => {
    const d = np.finfo("float64");
    expect([d.eps, d.max, d.tiny, d.smallestSubnormal, d.min]).toEqual([Number.EPSILON, Number.MAX_VALUE, 2 ** -1022, Number.MIN_VALUE, -Number.MAX_VALUE]);
    const f = np.finfo("float32");
    expect([f.eps, f.max, f.tiny, f.smallestSubnormal, f.resolution, f.bits]).toEqual([2 ** -23, 3.4028234663852886e38, 2 ** -126, 2 ** -149, 1e-6, 32]);
    expect(np.iinfo("uint32").max).toBe(4294967295);
    expect(() => np.finfo("int32")).toThrow(/use iinfo/);
    expect(() => np.iinfo("float32")).toThrow(/use finfo/);
  });
  it("knows kinds", () => {
    expect(np.isdtype("int32", "integral")).toBe(true);
    expect(np.isdtype("float32", ["bool", "numeric"])).toBe(true);
    expect(np.isdtype("bool", "numeric")).toBe(false);
    expect(np.issubdtype("float32", "floating")).toBe(true);
    expect(np.issubdtype("uint32", "signedinteger")).toBe(false);
    expect(() => np.issubdtype("uint32", "flotaing" as "floating")).toThrow(/issubdtype\(family\)/);
    expect([np.isscalar(1), np.isscalar(np.array(1))]).toEqual([true, false]);
  });
  it("a negative number beside unsigned integers makes floats, as every number that the integers cannot hold", () => {
    const x = np.array(Uint32Array.of(0, 5, 4294967295));
    expect(np.less(x, -1).toArray()).toEqual([false, false, false]);
    expect(np.divide(x, -1).toArray()).toEqual([-0, -5, -4294967295]);
    expect([np.add(x, -1).dtype, np.add(x, -1).toArray()]).toEqual(["float64", [-1, 4, 4294967294]]);
    expect(np.add(x, 4294967295).dtype).toBe("uint32");
    expect(np.add(x.astype("int32"), -1).dtype).toBe("int32");
  });
  it("treats real arrays as complex ones without imaginary part", () => {
    expect(np.angle([-1, 0, 2]).toArray()).toEqual([Math.PI, 0, 0]);
    expect(np.angle([-1], true).toArray()).toEqual([180]);
    expect([np.imag([1]).toArray(), np.real([1]).toArray(), np.conj([1]).toArray()]).toEqual([[0], [1], [1]]);
    expect([np.iscomplexobj([1]), np.isrealobj([1])]).toEqual([false, true]);
    expect(np.zeros([1], { dtype: np.float32 }).dtype).toBe("float32");
  });
});
