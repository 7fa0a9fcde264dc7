import { itemsize, newTypedArray } from "../../base/dtype.js";
import type { DType, TypedArray } from "../../base/dtype.js";
import { contiguousStrides } from "../../base/shape.js";
import { accumulator, load } from "../../kernel/expr.js";
import type { Affine, Expr } from "../../kernel/expr.js";
import type { Accumulate, BufferInfo, Kernel, Schedule, Step } from "../../kernel/schedule.js";
import type { Backend } from "../backend.js";
import { referenceBackend } from "../reference/index.js";
import { WasmBackend } from "./index.js";

export const affine = (strides: readonly number[], offset = 0): Affine => ({ offset, strides });
/** Row-major reading of a whole shape. */
export const whole = (dtype: DType, buffer: number, shape: readonly number[]): Expr => load(dtype, buffer, affine(contiguousStrides(shape)));

/** A schedule whose buffers are inputs, then outputs, then temporaries in one arena. */
export function schedule(inputs: readonly TypedArray[], outputs: readonly BufferInfo[], steps: readonly Step[], options: { readonly temporaries?: readonly BufferInfo[]; readonly constants?: readonly TypedArray[] } = {}): Schedule {
  const temporaries = options.temporaries ?? [];
  const constants = options.constants ?? [];
  const info = (a: TypedArray): BufferInfo => ({ dtype: dtypeOf(a), size: a.length });
  const offsets = new Map<number, number>();
  let bytes = 0;
  temporaries.forEach((t, i) => {
    offsets.set(inputs.length + outputs.length + i, bytes);
    bytes += Math.ceil((t.size * itemsize(t.dtype)) / 64) * 64;
  });
  const first = inputs.length + outputs.length + temporaries.length;
  return {
    buffers: [...inputs.map(info), ...outputs, ...temporaries, ...constants.map(info)],
    inputs: inputs.map((_, i) => i), outputs: outputs.map((_, i) => inputs.length + i),
    constants: constants.map((data, i) => ({ buffer: first + i, data })),
    steps, arena: { bytes, offsets },
  };
}

export const dtypeOf = (a: TypedArray): DType =>
  a instanceof Float64Array ? "float64" : a instanceof Float32Array ? "float32" : a instanceof Int32Array ? "int32" : a instanceof Uint32Array ? "uint32" : "bool";

export function runOn(backend: Backend, s: Schedule, inputs: readonly TypedArray[]): TypedArray[] {
  const executable = backend.compile(s);
  const results = executable.run(inputs.map((a) => backend.write(dtypeOf(a), a)));
  const arrays = results.map((r) => backend.readSync!(r).slice());
  executable.dispose();
  return arrays;
}

/** One with SIMD, one without. */
export const backends = { simd: new WasmBackend({ relaxed: false }), scalar: new WasmBackend({ simd: false }) };

/** `ulps`: how far floats may be apart, in units of the dtype's rounding error of the larger one, or of `scale` (where terms cancel). NaN equals NaN; where the scale is infinite, nothing is known. */
export function expectClose(got: TypedArray, expected: TypedArray, ulps: number, what: () => string, scale: number | ((element: number) => number) = 0): void {
  if (got.length !== expected.length) throw new Error(`${what()}: ${got.length} elements, expected ${expected.length}`);
  const unit = got instanceof Float32Array ? 2 ** -23 : 2 ** -52;
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [got[i]!, expected[i]!];
    if (Object.is(a, b) || a === b) continue;
    const size = typeof scale === "number" ? scale : scale(i);
    const near = size === Infinity || Math.abs(a - b) <= ulps * unit * Math.max(Math.abs(a), Math.abs(b), size);
    if (!near) throw new Error(`${what()}: element ${i} is ${a}, expected ${b}`);
  }
}

/** Runs on both WebAssembly backends and compares with the reference. `ulps` and `scale` as in `expectClose`, the same for all outputs or each its own. */
export function expectSame(s: Schedule, inputs: readonly TypedArray[], ulps: number | ((output: number) => number) = 0, what: () => string = () => "", scale: number | ((output: number, element: number) => number) = 0): TypedArray[] {
  const expected = runOn(referenceBackend, s, inputs);
  for (const [name, backend] of Object.entries(backends)) {
    const got = runOn(backend, s, inputs);
    got.forEach((g, i) => expectClose(g, expected[i]!, typeof ulps === "number" ? ulps : ulps(i), () => `${name} output ${i} ${what()}`, typeof scale === "number" ? scale : (element) => scale(i, element)));
  }
  return expected;
}

/** A kernel that maps expressions over a shape, each to its own output buffer, row-major. */
export const mapKernel = (dims: readonly number[], outputs: readonly { readonly buffer: number; readonly value: Expr }[]): Kernel => ({
  dims, reduceDims: [], accumulators: [],
  outputs: outputs.map(({ buffer, value }) => ({ buffer, value, index: affine(contiguousStrides(dims)) })),
});

/** A kernel that reduces, with results written row-major. */
export const reduceKernel = (dims: readonly number[], reduceDims: readonly number[], accumulators: readonly Accumulate[], firstBuffer: number): Kernel => ({
  dims, reduceDims, accumulators,
  outputs: accumulators.map((a, i) => ({ buffer: firstBuffer + i, index: affine(contiguousStrides(dims)), value: accumulator(a.dtype, i) })),
});

export const kernelStep = (kernel: Kernel): Step => ({ kind: "kernel", kernel });

/** Small reproducible numbers. */
export function random(seed: number): () => number {
  let s = seed * 2654435761 + 1;
  return () => {
    s = (Math.imul(s ^ (s >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    return ((s ^ (s >>> 14)) >>> 0) / 4294967296;
  };
}

export function randomArray(dtype: DType, n: number, seed = 1): TypedArray {
  const next = random(seed);
  const a = newTypedArray(dtype, n);
  for (let i = 0; i < n; i++) {
    const u = next();
    a[i] = dtype === "bool" ? (u < 0.5 ? 1 : 0) : dtype === "int32" ? Math.floor(u * 200) - 100 : dtype === "uint32" ? Math.floor(u * 200) : u * 4 - 2;
  }
  return a;
}
