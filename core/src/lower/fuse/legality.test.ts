import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { referenceBackend } from "../../backends/reference/index.js";
import { WasmBackend } from "../../backends/wasm/index.js";
import type { DType, TypedArray } from "../../base/dtype.js";
import { isFloat, newTypedArray } from "../../base/dtype.js";
import { contiguousStrides, sizeOf } from "../../base/shape.js";
import { accumulator, type Affine, binary, type BufferId, cast, constant, type Expr, gather, guard, index, load, select, unary } from "../../kernel/expr.js";
import { printSchedule } from "../../kernel/print.js";
import type { BufferInfo, Kernel, KernelOutput, Schedule, Step } from "../../kernel/schedule.js";
import { shareMemory } from "../in-place.js";
import { planArena } from "../plan.js";
import { simplifyKernel } from "../simplify.js";
import { Fusion } from "./fuse.js";

/** Numbers from a seed, all below a bound. */
function draws(seed: number) {
  let s = (seed * 2654435761 + 1) | 0;
  const next = (): number => {
    s = (Math.imul(s ^ (s >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    return ((s ^ (s >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return { next, below, pick: <T>(list: readonly T[]): T => list[below(list.length)]! };
}

const shapes: readonly (readonly number[])[] = [[4, 6], [24], [2, 2, 6], [6, 4], [4], [6], [], [24, 20], [480]];

/**
 * A random program of steps that read each other's buffers in every way: at the same index, transposed, shifted, in part, at computed
 * places, under guards; that update buffers in place, copy them, and stand in loops and branches.
 */
function build(seed: number) {
  const { next, below, pick } = draws(seed);
  const buffers: BufferInfo[] = [];
  const newBuffer = (dtype: DType, size: number): BufferId => buffers.push({ dtype, size }) - 1;
  const dtypes = pick<readonly DType[]>([["float64"], ["float32"], ["float64", "int32"], ["float32", "bool"]]);
  const inputs = Array.from({ length: 3 }, () => newBuffer(pick(dtypes), sizeOf(pick(shapes))));
  // Buffers that hold something by now.
  const filled: BufferId[] = [...inputs];
  const outputs: BufferId[] = [];

  const place = (dims: readonly number[], size: number): Affine | undefined => {
    const n = sizeOf(dims);
    const strides = contiguousStrides(dims);
    if (size === n && next() < 0.7) return { offset: 0, strides };
    if (size === n && dims.length === 2 && next() < 0.5) return { offset: n - 1, strides: strides.map((x) => -x) };
    const some = dims.map((d) => (next() < 0.6 ? 0 : d));
    const part = contiguousStrides(some.map((d) => d || 1)).map((x, d) => (some[d] ? x : 0));
    const reach = part.reduce((sum, x, d) => sum + x * (dims[d]! - 1), 0);
    if (reach >= size) return size > 0 ? { offset: below(size), strides: dims.map(() => 0) } : undefined;
    return { offset: below(size - reach), strides: part };
  };
  const read = (dims: readonly number[], dtype: DType, avoid: ReadonlySet<BufferId>): Expr => {
    const open = filled.filter((id) => !avoid.has(id));
    // The newest most of all: that is where fusion happens.
    const id = next() < 0.6 ? open[Math.max(0, open.length - 1 - below(3))]! : pick(open);
    const info = buffers[id]!;
    const at = place(dims, info.size)!;
    const base = next() < 0.08 && info.size > at.offset + at.strides.reduce((sum, x, d) => sum + x * (dims[d]! - 1), 0) + 1 && at.strides.every((x) => x >= 0) ? constant("int32", 1) : undefined;
    const value: Expr = next() < 0.06 ? gather(info.dtype, id, binary("rem", index({ offset: 1, strides: contiguousStrides(dims) }), constant("int32", info.size))) : load(info.dtype, id, at, base);
    const first = dims[0];
    const shown = first !== undefined && first > 2 && next() < 0.12 ? guard([{ index: { offset: 0, strides: dims.map((_, d) => Number(d === 0)) }, lo: 1, hi: first - 1, step: 1 }], value, constant(info.dtype, 1)) : value;
    return cast(dtype, shown);
  };
  const expr = (dims: readonly number[], dtype: DType, avoid: ReadonlySet<BufferId>, depth: number): Expr => {
    if (depth === 0 || next() < 0.2) return next() < 0.15 ? constant(dtype, below(2)) : read(dims, dtype, avoid);
    const [a, b] = [expr(dims, dtype, avoid, depth - 1), expr(dims, dtype, avoid, depth - 1)];
    if (dtype === "bool") return binary(pick(["and", "or", "xor"] as const), a, b);
    const r = next();
    if (r < 0.2) return unary(isFloat(dtype) ? pick(["neg", "abs", "sqrt"] as const) : "neg", isFloat(dtype) ? unary("abs", a) : a);
    if (r < 0.3) return select(binary("lt", a, b), a, b);
    return binary(pick(["add", "sub", "mul", "max"] as const), a, b);
  };
  const writing = (dims: readonly number[], dtype: DType): KernelOutput & { dtype: DType } => {
    const n = sizeOf(dims);
    const old = filled.filter((id) => !inputs.includes(id) && buffers[id]!.size === n && buffers[id]!.dtype === dtype);
    const buffer = old.length > 0 && next() < 0.3 ? pick(old) : newBuffer(dtype, n);
    return { buffer, dtype, index: { offset: 0, strides: contiguousStrides(dims) }, value: constant(dtype, 0) };
  };
  const kernel = (): Step[] => {
    const dims = pick(shapes);
    const dtype = pick(dtypes);
    const target = writing(dims, dtype);
    const self = { ...target, value: load(dtype, target.buffer, target.index) };
    const avoid = new Set([target.buffer]);
    const inPlace = filled.includes(target.buffer) && next() < 0.7;
    let built: Kernel;
    if (next() < 0.35) {
      const reduceDims = pick([[6], [4], [20], [2, 3], [480], [1], [0]]);
      const op = dtype === "bool" ? pick(["and", "or"] as const) : pick(["add", "max", "min"] as const);
      const value = expr([...dims, ...reduceDims], dtype, avoid, 2);
      const after = binary(dtype === "bool" ? "xor" : "sub", accumulator(dtype, 0), inPlace ? self.value : expr(dims, dtype, avoid, 1));
      built = { dims, reduceDims, accumulators: [{ op, dtype, value }], outputs: [{ buffer: target.buffer, index: target.index, value: after }] };
      if (sizeOf(dims) * sizeOf(reduceDims) > 3000) return [];
    } else {
      const value = expr(dims, dtype, avoid, 3);
      built = { dims, reduceDims: [], accumulators: [], outputs: [{ buffer: target.buffer, index: target.index, value: inPlace ? binary(dtype === "bool" ? "or" : "add", value, self.value) : value }] };
    }
    if (!filled.includes(target.buffer)) filled.push(target.buffer);
    return [{ kind: "kernel", kernel: simplifyKernel(built) }];
  };
  const copy = (): Step[] => {
    const from = filled.at(-1 - below(Math.min(3, filled.length)))!;
    const same = filled.filter((id) => !inputs.includes(id) && id !== from && buffers[id]!.size === buffers[from]!.size && buffers[id]!.dtype === buffers[from]!.dtype);
    const to = same.length > 0 && next() < 0.7 ? pick(same) : newBuffer(buffers[from]!.dtype, buffers[from]!.size);
    if (!filled.includes(to)) filled.push(to);
    return [{ kind: "copy", from, to, count: buffers[from]!.size }];
  };
  const block = (count: number, depth: number): Step[] => Array.from({ length: count }, () => {
    const r = next();
    if (depth > 0 && r < 0.08) {
      const counter = newBuffer("int32", 1);
      const body = block(1 + below(5), depth - 1);
      return [{ kind: "for" as const, count: 1 + below(3), reverse: next() < 0.5, counter, body }];
    }
    if (depth > 0 && r < 0.13) {
      const at = newBuffer("int32", 1);
      const write: Step = { kind: "kernel", kernel: { dims: [], reduceDims: [], accumulators: [], outputs: [{ buffer: at, index: { offset: 0, strides: [] }, value: constant("int32", below(3)) }] } };
      const old = [...filled];
      const branches = [0, 1].map(() => {
        filled.splice(0, filled.length, ...old);
        return block(1 + below(3), 0);
      });
      filled.splice(0, filled.length, ...old);
      return [write, { kind: "branch" as const, index: at, branches }];
    }
    return r < 0.3 ? copy() : kernel();
  }).flat();
  const steps = block(3 + below(14), 1);
  for (const id of filled) if (!inputs.includes(id) && (next() < 0.35 || id === filled.at(-1))) outputs.push(id);
  const arrays = inputs.map((id) => {
    const a: TypedArray = newTypedArray(buffers[id]!.dtype, buffers[id]!.size);
    for (let i = 0; i < a.length; i++) a[i] = buffers[id]!.dtype === "bool" ? below(2) : buffers[id]!.dtype === "int32" ? below(40) - 20 : next() * 4 - 2;
    return a;
  });
  return { buffers, inputs, outputs, steps, arrays };
}

type Built = ReturnType<typeof build>;

const scheduleOf = ({ buffers, inputs, outputs }: Built, steps: readonly Step[]): Schedule => {
  const own = new Set([...inputs, ...outputs]);
  return { buffers, inputs, constants: [], outputs, steps, arena: planArena(buffers, new Set(buffers.map((_, id) => id).filter((id) => !own.has(id))), steps) };
};
const run = (backend: typeof referenceBackend, s: Schedule, arrays: readonly TypedArray[]): TypedArray[] => {
  const program = backend.compile(s);
  const results = program.run(s.inputs.map((id, i) => backend.write(s.buffers[id]!.dtype, arrays[i]!))).map((r) => backend.readSync!(r).slice());
  program.dispose();
  return results;
};
const kernelsOf = (steps: readonly Step[]): number => steps.reduce((n, s) => n + (s.kind === "kernel" ? 1 : s.kind === "for" ? kernelsOf(s.body) : s.kind === "branch" ? s.branches.reduce((m, b) => m + kernelsOf(b), 0) : 0), 0);

const numRuns = Number(process.env["HESSIA_RUNS"] ?? 200);
const wasm = new WasmBackend();

describe("fusion", () => {
  it("changes no result of random programs", () => {
    let before = 0;
    let after = 0;
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 30 }), (seed) => {
      const built = build(seed);
      if (built.outputs.length === 0) return;
      const plain = scheduleOf(built, built.steps);
      const steps = new Fusion(built.buffers, built.outputs).run(built.steps);
      const fused = scheduleOf(built, shareMemory(steps, built.buffers, new Set([...built.inputs, ...built.outputs])));
      before += kernelsOf(plain.steps);
      after += kernelsOf(fused.steps);
      const want = run(referenceBackend, plain, built.arrays);
      const what = (): string => `seed ${seed}\n${printSchedule(plain)}\nfused\n${printSchedule(fused)}`;
      const close = (g: TypedArray, k: number): void => {
        const eps = g instanceof Float32Array ? 2 ** -23 : 2 ** -52;
        const scale = Array.from(want[k]!).reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 1);
        g.forEach((v, i) => {
          const w = want[k]![i]!;
          if (!Object.is(v, w) && !(Math.abs(v - w) <= 4096 * eps * scale) && Number.isFinite(w)) expect.fail(`${what()}\noutput ${k} element ${i}: ${v}, expected ${w}`);
        });
      };
      // A sum of products alone keeps the products of float32 as they are; as one of several it rounds them.
      const rounds = built.buffers.some((x) => x.dtype === "float32");
      run(referenceBackend, fused, built.arrays).forEach((g, i) => (rounds ? close(g, i) : expect(g, what()).toEqual(want[i])));
      // The order of a sum is the backend's affair.
      run(wasm, fused, built.arrays).forEach(close);
    }), { numRuns });
    expect(after).toBeLessThan(0.9 * before);
  }, 60_000 + numRuns * 40);
});
