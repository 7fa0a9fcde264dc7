import { jit, np, type NDArray } from "@hessia/core";
import { describe, expect, it } from "vitest";

const both = (f: () => NDArray): NDArray[] => [f(), jit(f)()];

describe("numbers as elements of a dtype", () => {
  it.each([[5, 1], [0.5, 1], [NaN, 1], [-0, 0]])("%d is the bool %d", (value, want) => {
    for (const x of [...both(() => np.full([2], value, { dtype: "bool" })), ...both(() => np.fullLike(np.array([true, false]), value))]) expect([...x.data]).toEqual([want, want]);
    expect(np.sum(np.full([3], value, { dtype: "bool" })).item()).toBe(3 * want);
  });
  it.each([["int32", 3e9, 2147483647], ["int32", -3e9, -2147483648], ["int32", NaN, 0], ["int32", -1.7, -1], ["uint32", 5e9, 4294967295], ["uint32", -1, 4294967295]] as const)("in %s %d is %d", (dtype, value, want) => {
    for (const x of both(() => np.full([2], value, { dtype }))) expect([...x.data]).toEqual([want, want]);
    for (const x of both(() => np.pad(np.zeros([1], { dtype }), 1, "constant", { constantValues: value }))) expect([...x.data]).toEqual([want, 0, want]);
  });
  it("bytes of bools are 0 or 1", () => expect([...np.frombuffer(new Uint8Array([0, 2, 255]), { dtype: "bool" }).data]).toEqual([0, 1, 1]));
});

describe("arange", () => {
  it("is float beyond int32", () => {
    for (const x of both(() => np.arange(3e9, 3e9 + 3))) expect([x.dtype, ...x.data]).toEqual(["float64", 3e9, 3e9 + 1, 3e9 + 2]);
    for (const x of both(() => np.arange(2147483645, 2147483648))) expect([x.dtype, ...x.data]).toEqual(["int32", 2147483645, 2147483646, 2147483647]);
  });
  it("rounds to integers at the end", () => {
    for (const x of both(() => np.arange(0, 3, 0.5, { dtype: "int32" }))) expect([...x.data]).toEqual([0, 0, 1, 1, 2, 2]);
    for (const x of both(() => np.arange(3, null, 1, { dtype: "bool" }))) expect([...x.data]).toEqual([0, 1, 1]);
  });
});

describe("more elements than there is room for", () => {
  it.each([
    ["on the host", () => np.zeros([2 ** 33])],
    ["in the heap", () => np.broadcastTo(1, [2 ** 33])],
    // 2^38 bytes and a little: once as good as a little.
    ["in the heap, of a size that 32 bits do not hold", () => np.broadcastTo(1, [2 ** 19 + 1, 2 ** 16]).add(1)],
    ["of a square", () => np.eye(2 ** 31)],
    ["along an axis of a loop", () => jit(() => np.sum(np.arange(2 ** 33)))()],
    ["to search", () => jit((x: NDArray) => np.argmax(np.broadcastTo(x, [70_000, 70_000]).add(np.arange(70_000))))(np.ones([1]))],
  ] as const)("%s is a named error, and the next call works", (_, f) => {
    expect(f).toThrow(/\[hessia:backend\]/);
    expect(np.sum(np.ones([5])).item()).toBe(5);
  });
});

it("the greatest common divisor of the least integer is positive", () => expect(np.gcd(np.array([-2147483648], { dtype: "int32" }), -6).toArray()).toEqual([2]));
