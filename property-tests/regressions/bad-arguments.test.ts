import { HessiaError, np } from "@hessia/core";
import { describe, expect, it } from "vitest";

const x = np.ones([2, 3]);
const none = np.ones([0]);
/** What a caller without types may pass. */
const wrong = (value: unknown) => value as never;

describe("an argument of the wrong kind is named in an error of the library", () => {
  it.each<[string, () => unknown]>([
    ["flip(axis)", () => np.flip(x, wrong("0"))],
    ["expandDims(axis)", () => np.expandDims(x, wrong(x))],
    ["expandDims(axis)", () => np.expandDims(x, wrong(undefined))],
    ["transpose(axes)", () => np.permuteDims(x, wrong(0.5))],
    ["transpose(axes)", () => np.permuteDims(x, wrong("10"))],
    ["moveaxis(source)", () => np.moveaxis(x, wrong("0"), 1)],
    ["moveaxis(destination)", () => np.moveaxis(x, 0, wrong(undefined))],
    ["gradient(axis)", () => np.gradient(x, wrong("0"))],
    ["arraySplit(sections)", () => np.arraySplit(x, wrong("2"))],
    ["hsplit(sections)", () => np.hsplit(x, wrong(undefined))],
    ["concatenate(arrays)", () => np.concatenate(none)],
    ["hstack(arrays)", () => np.hstack(none)],
    ["dstack(arrays)", () => np.dstack(np.ones([0, 3]))],
    ["finfo(dtype)", () => np.finfo(wrong({}))],
    ["iinfo(dtype)", () => np.iinfo(wrong(undefined))],
    ["canCast(from)", () => np.canCast(wrong(null), "int32")],
    ["full(shape)", () => np.full(wrong(3n), 1)],
    ["max(x)", () => np.max(none)],
    ["min(x)", () => np.min(np.ones([2, 0]), 1)],
  ])("%s", (name, call) => {
    expect(call).toThrow(HessiaError);
    expect(call).toThrow(`] ${name}: expected`);
  });
});
