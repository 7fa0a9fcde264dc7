import { grad } from "@hessia/autodiff";
import { type NDArray, np, random, ShapeDtype, tree, TreeError } from "@hessia/core";
import { describe, expect, it } from "vitest";
import * as nn from "./index.js";

class Block extends nn.Module {
  static readonly typeName = "Block";
  override call(x: NDArray): NDArray {
    return nn.relu(new nn.BatchNorm({ useRunningAverage: false }).call(new nn.Dense(8).call(x)));
  }
}
class Net extends nn.Module {
  static readonly typeName = "Net";
  readonly head = new nn.Dense(2);
  override call(x: NDArray): NDArray {
    const block = new Block();
    return this.head.call(block.call(block.call(x)));
  }
}

describe("tabulate", () => {
  const summary = nn.tabulate(new Net(), random.key(0), new ShapeDtype([5, 8], "float32"));

  it("lists every call with its own parameters, the whole first", () => {
    expect(summary.rows.map((r) => [r.path, r.type, r.outputs[0], r.params, r.bytes, r.stateBytes])).toEqual([
      ["", "Net", "float32[5,2]", 0, 0, 0],
      ["Block_0", "Block", "float32[5,8]", 0, 0, 0],
      ["Block_0", "Block", "float32[5,8]", 0, 0, 0],
      ["Block_0/Dense_0", "Dense", "float32[5,8]", 72, 288, 0],
      ["Block_0/Dense_0", "Dense", "float32[5,8]", 0, 0, 0],
      ["Block_0/BatchNorm_0", "BatchNorm", "float32[5,8]", 16, 64, 64],
      ["Block_0/BatchNorm_0", "BatchNorm", "float32[5,8]", 0, 0, 0],
      ["head", "Dense", "float32[5,2]", 18, 72, 0],
    ]);
    expect([summary.totalParams, summary.totalBytes, summary.totalStateBytes]).toEqual([106, 424, 64]);
    expect(summary.rows[3]!.inputs).toEqual(["float32[5,8]"]);
  });

  it("prints an aligned table", () => {
    const lines = String(nn.tabulate(new nn.MLP([300, 10]), random.key(0), np.ones([1, 64]))).split("\n");
    expect(lines).toEqual([
      "path      module  output          params    bytes",
      "-------------------------------------------------",
      "(top)     MLP     float64[1,10]",
      "linear_0  Linear  float64[1,300]  19,500  76.2 KB",
      "linear_1  Linear  float64[1,10]    3,010  11.8 KB",
      "-------------------------------------------------",
      "total                             22,510  87.9 KB",
    ]);
  });
});

describe("parameters", () => {
  const net = new nn.MLP([3, 2]);
  const x = np.ones([1, 4]);
  const params = net.init(random.key(0), x)["params"]!;

  it("counts, flattens and puts together", () => {
    expect([nn.countParams(params), nn.paramBytes(params)]).toEqual([23, 92]);
    expect(Object.keys(nn.flattenParams(params))).toEqual(["linear_0/bias", "linear_0/kernel", "linear_1/bias", "linear_1/kernel"]);
    expect(JSON.stringify(nn.unflattenParams(nn.flattenParams(params)))).toBe(JSON.stringify(tree.map((a: NDArray) => a, params)));
    expect(() => nn.unflattenParams({ a: x, "a/b": x })).toThrow(TreeError);
  });

  it("picks by name, pattern and function; a frozen part gets no gradient", () => {
    expect(nn.maskParams(params, "kernel")).toEqual({ linear_0: { bias: false, kernel: true }, linear_1: { bias: false, kernel: true } });
    const [head, frozen] = nn.partitionParams(params, /^linear_1/g);
    expect([Object.keys(head), Object.keys(frozen)]).toEqual([["linear_1"], ["linear_0"]]);
    expect(JSON.stringify(nn.mergeParams(frozen, head))).toBe(JSON.stringify(tree.map((a: NDArray) => a, params)));
    expect(() => nn.mergeParams(params, head)).toThrow(/linear_1\/bias/);
    const g = grad((p: nn.VariableTree) => net.apply({ params: nn.mergeParams(p, frozen) }, x).sum())(head);
    expect(tree.structure(g).key).toBe(tree.structure(head).key);
    expect(nn.countParams(nn.partitionParams(params, (_, v) => v.ndim === 1)[0])).toBe(5);
  });

  it("casts floats only", () => {
    const cast = nn.castVariables({ params, count: np.array(1, { dtype: "int32" }) }, "float64");
    expect(tree.leaves<NDArray>(cast).map((a) => a.dtype)).toEqual(["int32", "float64", "float64", "float64", "float64"]);
  });

  it("stacks and unstacks", () => {
    const both = nn.stackVariables([params, params]);
    expect(nn.countParams(both)).toBe(46);
    expect((nn.unstackVariables(both)[1]!["linear_0"] as Record<string, NDArray>)["kernel"]!.toArray()).toEqual((params["linear_0"] as Record<string, NDArray>)["kernel"]!.toArray());
    expect(() => nn.stackVariables([])).toThrow(/at least one/);
  });
});
