import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newTypedArray, type TypedArray } from "../../../../base/dtype.js";
import { contiguousStrides, range, sizeOf } from "../../../../base/shape.js";
import { asContraction } from "../../../../kernel/contraction.js";
import { accumulator, type Affine, binary, cast, constant, type Expr, gather, guard, index, load, unary } from "../../../../kernel/expr.js";
import type { Kernel, KernelOutput } from "../../../../kernel/schedule.js";
import { runSteps } from "../../../reference/run.js";
import { ModuleBuilder } from "../../assembler/index.js";
import type { FloatDType } from "../../functions/contract.js";
import { ModuleFunctions } from "../../functions/library.js";
import { type Variant, variants } from "../../gemm/test-support.js";
import { dtypeOf, expectClose, random, randomArray } from "../../test-support.js";
import type { BufferLocation } from "../location.js";
import { emitPlan } from "./emit.js";
import { eachPlan, planContraction } from "./plan.js";
import type { ContractionPlan } from "./settle.js";

/** Runs a kernel as a plan says; buffers lie one behind the other in a memory of their own, and the scratch room after them. */
function run(kernel: Kernel, plan: ContractionPlan, buffers: readonly TypedArray[], { simd, relaxed }: Variant): TypedArray[] {
  let end = 64;
  const places = buffers.map((b): BufferLocation => {
    const address = end;
    end = Math.ceil((end + b.byteLength) / 64) * 64 + 64;
    return { kind: "absolute", address };
  });
  const module = new ModuleBuilder();
  module.importMemory("host", "memory", 1, 65535);
  const f = module.function("main", ["i32"]);
  const library = new ModuleFunctions(module, relaxed, () => 0);
  const bytes = emitPlan({ f, library, simd, module, scratchOffset: 192, locate: (id) => places[id]! }, kernel, plan);
  module.export("main", f);
  const memory = new WebAssembly.Memory({ initial: Math.ceil((end + 192 + bytes + 128) / 65536), maximum: 65535 });
  new Uint8Array(memory.buffer).fill(0xff);
  const view = (i: number): TypedArray => {
    const place = places[i]!;
    return new (buffers[i]!.constructor as new (b: ArrayBuffer, at: number, n: number) => TypedArray)(memory.buffer as ArrayBuffer, place.kind === "absolute" ? place.address : 0, buffers[i]!.length);
  };
  buffers.forEach((b, i) => view(i).set(b));
  const main = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { host: { memory } }).exports["main"] as (frame: number) => void;
  main(end);
  // Nothing between the buffers nor behind the scratch room may have changed.
  const isUntouched = (from: number): boolean => new Uint8Array(memory.buffer, from, 64).every((byte) => byte === 0xff);
  buffers.forEach((b, i) => { const place = places[i]!; if (place.kind === "absolute") expect(isUntouched(Math.ceil((place.address + b.byteLength) / 64) * 64), `behind buffer ${i}`).toBe(true); });
  expect(isUntouched(end + 192 + bytes), "behind the scratch room").toBe(true);
  return buffers.map((_, i) => view(i).slice());
}

interface Case {
  readonly kernel: Kernel;
  readonly buffers: readonly TypedArray[];
}

/** Compares a kernel, run by some of its plans, with the reference. */
function check({ kernel, buffers }: Case, plans: (all: readonly ContractionPlan[]) => readonly ContractionPlan[], what: string, which: readonly Variant[] = variants): void {
  const contraction = asContraction(kernel)!;
  expect(contraction).toBeDefined();
  const expected = buffers.map((b) => b.slice());
  runSteps([{ kind: "kernel", kernel }], expected);
  const depth = sizeOf(kernel.reduceDims);
  for (const variant of which) {
    const all: ContractionPlan[] = [];
    eachPlan(kernel, contraction, undefined, (plan) => all.push(plan));
    for (const plan of plans(all))
      run(kernel, plan, buffers, variant).forEach((got, i) => expectClose(got, expected[i]!, 16 + 4 * Math.sqrt(depth), () => `${what} ${JSON.stringify(variant)} buffer ${i} ${describePlan(plan)}`, 64));
  }
}
const describePlan = (p: ContractionPlan): string => JSON.stringify({ m: p.m, n: p.n, k: p.k, block: p.block, loops: [p.outputLoops, p.reducedLoops], a: [p.a.coordinates, p.a.copy], b: [p.b.coordinates, p.b.copy], into: p.into?.buffer });

/** A contraction from a seed: dimensions of every class and size, stored in any order; factors with elementwise work, padding, strides and dilation; several outputs. */
function build(seed: number): Case {
  const next = random(seed);
  const below = (n: number): number => Math.floor(next() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const shuffle = <T>(list: readonly T[]): T[] => { const out = [...list]; for (let i = out.length - 1; i > 0; i--) { const j = below(i + 1); [out[i], out[j]] = [out[j]!, out[i]!]; } return out; };
  const dtype: FloatDType = pick(["float32", "float64"]);
  const buffers: TypedArray[] = [];
  const input = (size: number): number => buffers.push(randomArray(dtype, size, seed + buffers.length)) - 1;
  const classes: ("batch" | "m" | "n")[] = shuffle([...Array.from({ length: below(2) }, () => "batch" as const), "m", ...(next() < 0.4 ? ["m" as const] : []), "n", ...(next() < 0.4 ? ["n" as const] : [])]);
  const dims = classes.map((c) => (c === "batch" ? pick([1, 2, 3]) : pick([1, 2, 3, 4, 5, 7, 12, 13, 17])));
  const reduceDims = Array.from({ length: 1 + below(3) }, () => pick([1, 2, 3, 5, 8, 11]));
  const sizes = [...dims, ...reduceDims];
  const reduced = reduceDims.map((_, i) => dims.length + i);
  const contiguous = next() < 0.4;
  /** Dimensions of a tensor in some order, some read backwards. */
  const tensor = (of: readonly number[], backwards = 0.1): { readonly index: Affine; readonly size: number } => {
    const order = contiguous ? of : shuffle(of);
    const dense = contiguousStrides(order.map((d) => sizes[d]!));
    const strides = sizes.map(() => 0);
    let offset = below(3);
    const gap = next() < 0.2 ? 2 : 1;
    order.forEach((d, i) => {
      const back = next() < backwards;
      strides[d] = gap * (back ? -dense[i]! : dense[i]!);
      if (back) offset += gap * dense[i]! * (sizes[d]! - 1);
    });
    return { index: { offset, strides }, size: gap * sizeOf(order.map((d) => sizes[d]!)) + 3 };
  };
  const factor = (of: readonly number[]): Expr => {
    const { index: place, size } = tensor(of);
    const plain = (): Expr => load(dtype, input(size), place);
    const kind = next();
    if (kind < 0.35) return plain();
    if (kind < 0.5) return unary("neg", binary("add", plain(), load(dtype, input(size), place)));
    if (kind < 0.58) return binary("sub", plain(), cast(dtype, binary("rem", index(tensor(of).index), constant("int32", 7))));
    if (kind < 0.66) return gather(dtype, input(size), index(place));
    // Position and window: x[stride * p + dilation * w - low] along one or two pairs of dimensions, zero outside.
    const [inner, outer] = [shuffle(of.filter((d) => d >= dims.length)), shuffle(of.filter((d) => d < dims.length))];
    const pairs = Math.min(1 + below(2), inner.length, outer.length);
    const bounds: { index: Affine; lo: number; hi: number; step: number }[] = [];
    const strides = sizes.map(() => 0);
    let offset = 0;
    let step = 1;
    for (let i = 0; i < pairs; i++) {
      const [p, w] = [outer[i]!, inner[i]!];
      const [stride, dilation, low, n] = [1 + below(2), (1 + below(2)) * (next() < 0.2 ? -1 : 1), below(3) - 1, 1 + below(14)];
      const along: Affine = { offset: -low, strides: sizes.map((_, d) => (d === p ? stride : d === w ? dilation : 0)) };
      bounds.push({ index: along, lo: 0, hi: n, step: 1 });
      offset += step * along.offset;
      along.strides.forEach((s, d) => (strides[d]! += step * s));
      step *= n;
    }
    for (const d of of) if (!outer.slice(0, pairs).includes(d) && !inner.slice(0, pairs).includes(d)) { strides[d] = step; step *= sizes[d]!; }
    const inside = load(dtype, input(step), { offset, strides });
    return guard(bounds, next() < 0.5 ? inside : binary("mul", inside, constant(dtype, 0.5)), constant(dtype, next() < 0.7 ? 0 : 1.5));
  };
  const of = (side: "m" | "n"): number[] => [...classes.flatMap((c, d) => (c === side || c === "batch" ? [d] : [])), ...reduced.filter(() => next() < 0.9)];
  const value = binary("mul", factor(of("m")), factor(of("n")));
  const everything = dims.map((_, d) => d);
  const sum = accumulator(dtype, 0);
  const outputs: KernelOutput[] = [];
  const output = (expr: Expr): void => {
    const { index: place, size } = tensor(everything, 0.05);
    buffers.push(newTypedArray(expr.dtype, size));
    outputs.push({ buffer: buffers.length - 1, index: { offset: place.offset, strides: place.strides.slice(0, dims.length) }, value: expr });
  };
  const bias = (): Expr => { const t = tensor(everything.filter(() => next() < 0.5)); return load(dtype, input(t.size), { offset: t.index.offset, strides: t.index.strides.slice(0, dims.length) }); };
  if (next() < 0.5) output(sum);
  else {
    const y = binary("add", sum, bias());
    output(binary("max", y, constant(dtype, 0)));
    if (next() < 0.5) output(next() < 0.5 ? sum : unary("neg", y));
    if (next() < 0.3) output(binary("lt", y, constant(dtype, 0)));
  }
  return { kernel: { dims, reduceDims, accumulators: [{ op: "add", dtype, value }], outputs }, buffers };
}

const numRuns = Number(process.env["HESSIA_RUNS"] ?? 100);

describe("contractions as matrix products of blocks", () => {
  it("agree with the reference however they are cut into blocks", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 30 }), (seed) => {
      const next = random(seed + 1);
      check(build(seed), (all) => Array.from({ length: Math.min(2, all.length) }, () => all[Math.floor(next() * all.length)]!), `seed ${seed}`);
    }), { numRuns });
  }, 60_000 + numRuns * 100);

  const product = (dtype: FloatDType, m: number, n: number, k: number, left = (e: Expr): Expr => e, right = left): Case => ({
    kernel: {
      dims: [m, n], reduceDims: [k],
      accumulators: [{ op: "add", dtype, value: binary("mul", left(load(dtype, 0, { offset: 0, strides: [k, 0, 1] })), right(load(dtype, 1, { offset: 0, strides: [0, 1, n] }))) }],
      outputs: [{ buffer: 2, index: { offset: 0, strides: [n, 1] }, value: accumulator(dtype, 0) }],
    },
    buffers: [randomArray(dtype, m * k, 1), randomArray(dtype, k * n, 2), newTypedArray(dtype, m * n)],
  });

  it("of every small size", () => {
    for (const m of [1, 2, 4, 5]) for (const n of [1, 3, 4, 9]) for (const k of [1, 2, 7]) for (const dtype of ["float32", "float64"] as const) check(product(dtype, m, n, k), (all) => [all[0]!, all.at(-1)!], `${m} ${n} ${k}`);
  });

  it("whose computed factors do not fit in cache are cut, the last block being smaller", () => {
    const twice = (e: Expr): Expr => binary("add", e, e);
    for (const [m, n, k] of [[3, 401, 331], [331, 3, 401], [2, 3, 100003]] as const) {
      const c = product("float64", m, n, k, twice);
      const cut = (p: ContractionPlan): boolean => p.block.some((b, d) => b > 1 && b < p.contraction.sizes[d]!);
      check(c, (all) => { const some = all.filter(cut); expect(some.length).toBeGreaterThan(0); return some.slice(0, 4); }, `${m} ${n} ${k}`, variants.filter((v) => v.simd));
    }
  });

  const lanes = 4;
  const chosen = (kernel: Kernel): ContractionPlan | undefined => planContraction(kernel, asContraction(kernel)!, lanes);
  const contraction = (dims: number[], reduceDims: number[], a: Affine, b: Affine, out = contiguousStrides(dims)): Kernel => ({
    dims, reduceDims, accumulators: [{ op: "add", dtype: "float32", value: binary("mul", load("float32", 0, a), load("float32", 1, b)) }],
    outputs: [{ buffer: 2, index: { offset: 0, strides: out }, value: accumulator("float32", 0) }],
  });
  const affine = (...strides: number[]): Affine => ({ offset: 0, strides });

  it("read plain operands in place: transposes, heads between others, rows of a batch as one", () => {
    const [B, T, H, D] = [3, 40, 4, 32];
    const inPlace = (k: Kernel): number => {
      const p = chosen(k)!;
      for (const f of [p.a, p.b]) expect([f.copy, f.coordinates]).toEqual([undefined, undefined]);
      expect(p.into).toBeDefined();
      return p.outputLoops.length;
    };
    expect(inPlace(contraction([64, 64], [64], affine(1, 0, 64), affine(0, 64, 1)))).toBe(0);
    expect(inPlace(contraction([B, T, 64], [D], affine(T * D, D, 0, 1), affine(0, 0, 1, 64)))).toBe(0);
    // scores[b, h, t, s] = sum_d q[b, t, h, d] k[b, s, h, d]
    expect(inPlace(contraction([B, H, T, T], [D], affine(T * H * D, D, H * D, 0, 1), affine(T * H * D, D, 0, H * D, 1)))).toBe(2);
  });

  it("leave inner products and the smallest ones to loop nests", () => {
    expect(chosen(contraction([], [1000], affine(1), affine(1)))).toBeUndefined();
    expect(chosen(contraction([100, 2, 2], [2], affine(4, 2, 0, 1), affine(4, 0, 1, 2)))).toBeUndefined();
    expect(chosen(contraction([1000], [1000], affine(1000, 1), affine(0, 1)))).toBeDefined();
    expect(chosen(contraction([64, 64], [64], affine(64, 0, 1), affine(0, 1, 64)))).toBeDefined();
  });

  it("compute a padded image once and copy its windows image by image", () => {
    const [B, C, N, O] = [4, 8, 12, 16];
    const place = (d: number): Affine => ({ offset: -1, strides: range(7).map((i) => (i === 2 + d || i === 5 + d ? 1 : 0)) });
    const x = guard([0, 1].map((d) => ({ index: place(d), lo: 0, hi: N, step: 1 })), load("float32", 0, { offset: -N - 1, strides: [C * N * N, 0, N, 1, N * N, N, 1] }), constant("float32", 0));
    const k = load("float32", 1, affine(0, C * 9, 0, 0, 9, 3, 1));
    const dims = [B, O, N, N];
    const kernel: Kernel = { dims, reduceDims: [C, 3, 3], accumulators: [{ op: "add", dtype: "float32", value: binary("mul", x, k) }], outputs: [{ buffer: 2, index: { offset: 0, strides: contiguousStrides(dims) }, value: accumulator("float32", 0) }] };
    const plan = chosen(kernel)!;
    const images = plan.contraction.m.includes(1) ? plan.b : plan.a;
    expect(plan.outputLoops).toEqual([0]);
    expect(images.coordinates?.map((c) => c.terms.map((t) => t.dim).sort())).toEqual([[0], [4], [2, 5], [3, 6]]);
    expect(images.copy).toBeDefined();
    const buffers = [randomArray("float32", B * C * N * N, 1), randomArray("float32", O * C * 9, 2), new Float32Array(B * O * N * N)];
    expect(dtypeOf(buffers[0]!)).toBe("float32");
    check({ kernel, buffers }, () => [plan], "convolution");
  });
});
