import { describe, expect, it } from "vitest";
import { accumulator, binary, cast, constant, type Expr, gather, guard, index, load, select, unary } from "./expr.js";
import { printSchedule } from "./print.js";
import type { Schedule, Step } from "./schedule.js";

const at = (buffer: number, strides: readonly number[], offset = 0, base?: Expr): Expr => load("float64", buffer, { offset, strides }, base);
const schedule = (steps: readonly Step[]): Schedule => ({
  buffers: [{ dtype: "float64", size: 6 }, { dtype: "float64", size: 3 }, { dtype: "float64", size: 2 }, { dtype: "int32", size: 1 }],
  inputs: [0],
  constants: [{ buffer: 1, data: new Float64Array(3) }],
  outputs: [2],
  steps,
  arena: { bytes: 64, offsets: new Map([[3, 0]]) },
});
const body = (steps: readonly Step[]): string[] => printSchedule(schedule(steps)).split("\n").slice(3);
const write = (value: Expr): Step => ({ kind: "kernel", kernel: { dims: [2], reduceDims: [], accumulators: [], outputs: [{ buffer: 2, index: { offset: 0, strides: [1] }, value }] } });

describe("printSchedule", () => {
  it("declares inputs, outputs, constants and the arena", () => {
    expect(printSchedule(schedule([]))).toBe("(b0:float64[6]) -> (b2:float64[2])\nconstant b1:float64[3]\narena of 64 bytes: b3:int32[1] at 0");
  });
  it("names loops, accumulators and what is shared", () => {
    const product = binary("mul", at(0, [3, 1]), at(1, [0, 1]));
    const value = binary("add", unary("tanh", product), product);
    const kernel: Step = { kind: "kernel", kernel: { dims: [2], reduceDims: [3], accumulators: [{ op: "add", dtype: "float64", value }], outputs: [{ buffer: 2, index: { offset: 0, strides: [1] }, value: accumulator("float64", 0) }] } };
    expect(body([kernel])).toEqual(["kernel i<2 reduce j<3", "  t0 = b0[3*i + j] * b1[j]", "  a0 = add tanh(t0) + t0", "  b2[i] = a0"]);
  });
  it("writes every kind of expression", () => {
    const counter = load("int32", 3, { offset: 0, strides: [] });
    const inside = guard([{ index: { offset: -1, strides: [1] }, lo: 0, hi: 4, step: 2 }], at(0, [-1], 5), constant("float64", 7));
    const chosen = select(binary("lt", at(0, [1]), constant("float64", 0)), inside, gather("float64", 1, index({ offset: 1, strides: [1] })));
    expect(body([write(binary("max", cast("float64", counter), chosen))])).toEqual(["kernel i<2", "  b2[i] = max(float64(b3[0]), select(b0[i] < 0, inside(0 <= i - 1 < 4 step 2, b0[-1*i + 5], 7), b1[i + 1]))"]);
    expect(body([write(at(0, [1], 0, binary("mul", counter, constant("int32", 2))))])).toEqual(["kernel i<2", "  b2[i] = b0[b3[0] * 2 + i]"]);
  });
  it("indents control flow", () => {
    const copy: Step = { kind: "copy", from: 0, to: 2, count: 2 };
    const sort: Step = { kind: "routine", name: "sort", params: { keys: 1 }, inputs: [{ buffer: 0, shape: [6], dtype: "float64" }], outputs: [{ buffer: 2, shape: [2], dtype: "float64" }] };
    expect(body([{ kind: "for", count: 4, reverse: true, counter: 3, body: [copy] }, { kind: "branch", index: 3, branches: [[sort], []] }, { kind: "while", condition: [], predicate: 3, body: [copy] }])).toEqual([
      "for b3 in 3..0", "  copy 2 of b0 to b2",
      "branch b3", "  case 0", '    routine sort {"keys":1} (b0:float64[6]) -> (b2:float64[2])', "  case 1",
      "while", "  b3", "do", "  copy 2 of b0 to b2",
    ]);
  });
});
