import { HessiaError, np } from "@hessia/core";
import { checkpoint, customJvp, customVjp, grad, hessian, hvp, jacfwd, jvp, linearize, valueAndGrad, vjp } from "@hessia/autodiff";
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
    ["grad(f)", () => grad(wrong(x))],
    ["valueAndGrad(f)", () => valueAndGrad(wrong(undefined))],
    ["hessian(f)", () => hessian(wrong(null))],
    ["jacfwd(f)", () => jacfwd(wrong("f"))],
    ["jvp(f)", () => jvp(wrong(1), [x], [x])],
    ["vjp(f)", () => vjp(wrong(x), x)],
    ["linearize(f)", () => linearize(wrong(undefined), x)],
    ["hvp(f)", () => hvp(wrong(x), [x], [x])],
    ["checkpoint(f)", () => checkpoint(wrong(undefined))],
    ["customJvp(f)", () => customJvp(wrong(undefined))],
    ["customVjp(f)", () => customVjp(wrong({}))],
  ])("%s", (name, call) => {
    expect(call).toThrow(HessiaError);
    expect(call).toThrow(`] ${name}: expected`);
  });
});
