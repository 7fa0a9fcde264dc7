import { describe, expect, it } from "vitest";
import { accumulator, type Affine, binary, constant, type Expr, load, unary } from "../../kernel/expr.js";
import { printSchedule } from "../../kernel/print.js";
import type { Accumulate, BufferInfo, Kernel, KernelOutput, Step } from "../../kernel/schedule.js";
import type { KernelLimits } from "../../backends/backend.js";
import { Fusion } from "./fuse.js";

const f64 = (size: number): BufferInfo => ({ dtype: "float64", size });
const at = (...strides: number[]): Affine => ({ offset: 0, strides });
const x = (buffer: number, ...strides: number[]): Expr => load("float64", buffer, at(...strides));
const one = constant("float64", 1);
const out = (buffer: number, index: Affine, value: Expr): KernelOutput => ({ buffer, index, value });
const map = (dims: readonly number[], ...outputs: KernelOutput[]): Step => ({ kind: "kernel", kernel: { dims, reduceDims: [], accumulators: [], outputs } });
const sum = (value: Expr, op: Accumulate["op"] = "add"): Accumulate => ({ op, dtype: "float64", value });
const total = accumulator("float64", 0);
const reduce = (dims: readonly number[], reduceDims: readonly number[], accumulators: readonly Accumulate[], ...outputs: KernelOutput[]): Step => ({ kind: "kernel", kernel: { dims, reduceDims, accumulators, outputs } satisfies Kernel });
const routine = (from: number, to: number, n: number): Step => ({ kind: "routine", name: "r", params: {}, inputs: [{ buffer: from, shape: [n], dtype: "float64" }], outputs: [{ buffer: to, shape: [n], dtype: "float64" }] });

/** What is left of the steps, as text, with buffer 0 the input and these the outputs. */
function fused(buffers: readonly BufferInfo[], outputs: readonly number[], steps: readonly Step[], limits?: KernelLimits): string[] {
  const left = new Fusion(buffers, outputs, limits).run(steps);
  return printSchedule({ buffers, inputs: [0], constants: [], outputs, steps: left, arena: { bytes: 0, offsets: new Map() } }).split("\n").slice(1);
}
const n = 1000;
const vectors = Array.from({ length: 8 }, () => f64(n));

describe("fusion of elementwise kernels", () => {
  it("computes several outputs in one pass and hands values on", () => {
    const steps = [
      map([n], out(1, at(1), binary("add", x(0, 1), one))),
      map([n], out(2, at(1), binary("mul", x(0, 1), x(0, 1)))),
      map([n], out(3, at(1), binary("div", x(1, 1), unary("sqrt", x(2, 1))))),
    ];
    expect(fused(vectors, [1, 2, 3], steps)).toEqual(["kernel i<1000", "  t0 = b0[i] + 1", "  t1 = b0[i] * b0[i]", "  b1[i] = t0", "  b2[i] = t1", "  b3[i] = t0 / sqrt(t1)"]);
    expect(fused(vectors, [3], steps)).toEqual(["kernel i<1000", "  b3[i] = (b0[i] + 1) / sqrt(b0[i] * b0[i])"]);
  });
  it("does not fuse what reads elsewhere than is written", () => {
    const reversed = load("float64", 1, { offset: n - 1, strides: [-1] });
    expect(fused(vectors, [2], [map([n], out(1, at(1), unary("neg", x(0, 1)))), map([n], out(2, at(1), reversed))])).toHaveLength(4);
  });
  it("splits a flat loop into the dimensions of another", () => {
    const steps = [map([n], out(1, at(1), unary("neg", x(0, 1)))), map([20, 50], out(2, at(50, 1), binary("add", x(1, 50, 1), x(3, 0, 1))))];
    expect(fused([...vectors.slice(0, 3), f64(50)], [1, 2], steps)).toEqual(["kernel i<20 j<50", "  t0 = neg(b0[50*i + j])", "  b1[50*i + j] = t0", "  b2[50*i + j] = t0 + b3[j]"]);
  });
  it("leaves a kernel in its place when another step must lie between", () => {
    const steps = [map([n], out(1, at(1), unary("neg", x(0, 1)))), routine(1, 2, n), map([n], out(3, at(1), binary("add", x(1, 1), x(2, 1))))];
    expect(fused(vectors, [3], steps)).toEqual(["kernel i<1000", "  b1[i] = neg(b0[i])", "routine r (b1:float64[1000]) -> (b2:float64[1000])", "kernel i<1000", "  b3[i] = b1[i] + b2[i]"]);
  });
  it("goes around steps that do not matter", () => {
    const steps = [map([n], out(1, at(1), unary("neg", x(0, 1)))), routine(0, 2, n), map([n], out(3, at(1), binary("add", x(1, 1), x(2, 1))))];
    expect(fused(vectors, [3], steps)).toEqual(["routine r (b0:float64[1000]) -> (b2:float64[1000])", "kernel i<1000", "  b3[i] = neg(b0[i]) + b2[i]"]);
  });
  it("updates in place: what is written may be loaded by others at the same index", () => {
    const steps = [map([n], out(2, at(1), binary("add", x(0, 1), x(1, 1)))), map([n], out(1, at(1), binary("mul", x(0, 1), x(1, 1))))];
    expect(fused(vectors, [1, 2], steps)).toEqual(["kernel i<1000", "  b2[i] = b0[i] + b1[i]", "  b1[i] = b0[i] * b1[i]"]);
  });
  it("takes in a copy of what it computes", () => {
    expect(fused(vectors, [2], [map([n], out(1, at(1), unary("neg", x(0, 1)))), { kind: "copy", from: 1, to: 2, count: n }])).toEqual(["kernel i<1000", "  b2[i] = neg(b0[i])"]);
    expect(fused(vectors, [2], [{ kind: "copy", from: 0, to: 2, count: n }, map([n], out(1, at(1), x(0, 1)))])).toContain("copy 1000 of b0 to b2");
  });
  it("binds no more buffers than a device can", () => {
    const steps = [1, 2, 3, 4].map((b) => map([n], out(b, at(1), unary("neg", x(0, 1)))));
    expect(fused(vectors, [1, 2, 3, 4], steps).filter((l) => l.startsWith("kernel"))).toHaveLength(1);
    expect(fused(vectors, [1, 2, 3, 4], steps, { maxBuffers: 3 }).filter((l) => l.startsWith("kernel"))).toHaveLength(2);
  });
  it("keeps loops of wide and narrow elements apart unless they are short", () => {
    const buffers = [f64(n), f64(n), { dtype: "float32" as const, size: n }, { dtype: "float32" as const, size: n }];
    const narrow = (size: number) => map([size], out(3, at(1), unary("neg", load("float32", 2, at(1)))));
    expect(fused(buffers, [1, 3], [map([n], out(1, at(1), unary("neg", x(0, 1)))), narrow(n)]).filter((l) => l.startsWith("kernel"))).toHaveLength(2);
    expect(fused(buffers, [1, 3], [map([9], out(1, at(1), unary("neg", x(0, 1)))), narrow(9)])).toEqual(["kernel i<9", "  b1[i] = neg(b0[i])", "  b3[i] = neg(b2[i])"]);
  });
});

describe("fusion with reductions", () => {
  const buffers = [f64(40 * 100), f64(40), f64(40), f64(40), f64(4000), f64(4000)];

  it("lets the extrema of float32 share their loop with each other and with a sum", () => {
    const kernels = (dtype: "float32" | "float64", ...ops: Accumulate["op"][]): number => {
      const value = load(dtype, 0, at(100, 1));
      const steps = ops.map((op, i) => reduce([40], [100], [{ op, dtype: op === "argmax" ? "int32" : dtype, value }], out(i + 1, at(1), accumulator(op === "argmax" ? "int32" : dtype, 0))));
      const sizes = [4000, 40, 40, 40].map((size): BufferInfo => ({ dtype, size }));
      return fused(sizes, ops.map((_, i) => i + 1), steps).filter((l) => l.startsWith("kernel")).length;
    };
    expect(kernels("float32", "min", "max")).toBe(1);
    expect(kernels("float32", "min", "add", "max")).toBe(1);
    expect(kernels("float64", "min", "max")).toBe(2);
    expect(kernels("float32", "argmax", "max")).toBe(2);
  });
  const row = x(0, 100, 1);
  it("reduces once for several results", () => {
    const steps = [reduce([40], [100], [sum(row)], out(1, at(1), total)), reduce([40], [100], [sum(unary("abs", row))], out(2, at(1), total))];
    expect(fused(buffers, [1, 2], steps)).toEqual(["kernel i<40 reduce j<100", "  a0 = add b0[100*i + j]", "  a1 = add abs(b0[100*i + j])", "  b1[i] = a0", "  b2[i] = a1"]);
  });
  it("leaves extrema alone unless they are short", () => {
    const steps = (m: number) => [reduce([m], [100], [sum(row)], out(1, at(1), total)), reduce([m], [100], [sum(row, "max")], out(2, at(1), total))];
    expect(fused(buffers, [1, 2], steps(40)).filter((l) => l.startsWith("kernel"))).toHaveLength(2);
    expect(fused(buffers, [1, 2], steps(5)).filter((l) => l.startsWith("kernel"))).toHaveLength(1);
  });
  it("does not fuse reductions of which one needs the other", () => {
    const steps = [reduce([40], [100], [sum(row, "max")], out(1, at(1), total)), reduce([40], [100], [sum(binary("sub", row, x(1, 1)))], out(2, at(1), total))];
    expect(fused(buffers, [2], steps).filter((l) => l.startsWith("kernel"))).toHaveLength(2);
  });
  it("computes what follows from each result with it", () => {
    const steps = [reduce([40], [100], [sum(row)], out(1, at(1), total)), map([40], out(2, at(1), binary("div", x(1, 1), constant("float64", 100)))), map([40], out(3, at(1), unary("sqrt", x(2, 1))))];
    expect(fused(buffers, [3], steps)).toEqual(["kernel i<40 reduce j<100", "  a0 = add b0[100*i + j]", "  b3[i] = sqrt(a0 / 100)"]);
    expect(fused(buffers, [1, 3], steps)).toContain("  b1[i] = a0");
  });
  it("stores elements while they are summed", () => {
    const steps = [map([4000], out(4, at(1), unary("exp", x(0, 1)))), reduce([40], [100], [sum(x(4, 100, 1))], out(1, at(1), total))];
    expect(fused(buffers, [1, 4], steps)).toEqual(["kernel i<40 reduce j<100", "  t0 = exp(b0[100*i + j])", "  b4[100*i + j] = t0", "  a0 = add t0", "  b1[i] = a0"]);
    expect(fused(buffers, [1], steps)).toEqual(["kernel i<40 reduce j<100", "  a0 = add exp(b0[100*i + j])", "  b1[i] = a0"]);
  });
  it("leaves alone what needs a result for each term", () => {
    const steps = [reduce([40], [100], [sum(row, "max")], out(1, at(1), total)), map([40, 100], out(4, at(100, 1), binary("sub", row, x(1, 1))))];
    expect(fused(buffers, [4], steps)).toHaveLength(5);
  });
  it("gives matrix products epilogues but no second sum", () => {
    const product = (to: number): Step => reduce([40, 10], [100], [sum(binary("mul", x(0, 100, 0, 1), x(4, 0, 1, 10)))], out(to, at(10, 1), total));
    const bigger = [...buffers, f64(400), f64(400), f64(10)];
    expect(fused(bigger, [6, 7], [product(6), product(7)]).filter((l) => l.startsWith("kernel"))).toHaveLength(2);
    expect(fused(bigger, [7], [product(6), map([40, 10], out(7, at(10, 1), binary("max", binary("add", x(6, 10, 1), x(8, 0, 1)), constant("float64", 0))))])).toEqual([
      "kernel i<40 j<10 reduce k<100", "  a0 = add b0[100*i + k] * b4[j + 10*k]", "  b7[10*i + j] = max(a0 + b8[j], 0)",
    ]);
    expect(fused(bigger, [7], [product(6), map([40, 10], out(7, at(10, 1), unary("neg", x(6, 10, 1))))], { plainProducts: true }).filter((l) => l.startsWith("kernel"))).toHaveLength(2);
  });
});

describe("fusion in control flow", () => {
  it("fuses bodies, and writes the carry without a copy", () => {
    const buffers = [f64(n), f64(n), f64(n), { dtype: "int32" as const, size: 1 }];
    const body: Step[] = [map([n], out(2, at(1), binary("add", x(1, 1), x(0, 1)))), { kind: "copy", from: 2, to: 1, count: n }];
    expect(fused(buffers, [1], [{ kind: "for", count: 3, reverse: false, counter: 3, body }])).toEqual(["for b3 in 0..2", "  kernel i<1000", "    b1[i] = b1[i] + b0[i]"]);
  });
  it("keeps what the next turn of a loop reads", () => {
    const buffers = [f64(n), f64(n), f64(n), { dtype: "int32" as const, size: 1 }];
    const body: Step[] = [map([n], out(1, at(1), binary("add", x(2, 1), x(0, 1)))), map([n], out(2, at(1), unary("neg", x(1, 1))))];
    expect(fused(buffers, [1], [{ kind: "for", count: 3, reverse: false, counter: 3, body }])).toEqual(["for b3 in 0..2", "  kernel i<1000", "    t0 = b2[i] + b0[i]", "    b1[i] = t0", "    b2[i] = neg(t0)"]);
  });
});

// Time is bounded by the runner's limit alone, which an algorithm that compares all pairs exceeds here.
it("fuses thousands of steps", () => {
  const count = 4000;
  const buffers = Array.from({ length: count + 1 }, () => f64(16));
  const steps = Array.from({ length: count }, (_, i) => map([16], out(i + 1, at(1), binary("add", load("float64", i, { offset: 15, strides: [-1] }), one))));
  expect(new Fusion(buffers, [count]).run(steps)).toHaveLength(count);
});
