import { type NDArray, np } from "@hessia/core";
import { bind1, ConcreteArray, getBackend, primitiveFamilies } from "@hessia/core/extend";
import { describe, expect, it } from "vitest";

describe.each(["reference", "wasm"])("scatter on %s", (device) => {
  const on = (x: NDArray) => ConcreteArray.fromHost(x.data.slice(), x.aval, getBackend(device));
  const scatter = (x: NDArray, at: number[], u: NDArray, op: "add" | "mul") =>
    bind1(primitiveFamilies.indexing.scatter, [on(x), on(np.array(at, { dtype: "int32" })), on(u)], { batchDims: 0, mode: "clip", op, uniqueIndices: false });

  it("adds and multiplies bools as or and and", () => {
    const x = np.array([true, true, false]);
    expect(scatter(x, [0, 1, 2, 2], np.array([true, false, true, true]), "add").data).toEqual(Uint8Array.of(1, 1, 1));
    expect(scatter(x, [0, 1, 2], np.array([true, false, true]), "mul").data).toEqual(Uint8Array.of(1, 0, 0));
  });

  it("multiplies integers modulo 2^32", () => {
    const x = np.array([123456789], { dtype: "int32" });
    expect(scatter(x, [0], np.array([987654321], { dtype: "int32" }), "mul").data).toEqual(Int32Array.of(Math.imul(123456789, 987654321)));
  });
});
