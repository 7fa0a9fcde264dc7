import type { DType, TypedArray } from "../../base/dtype.js";
import type { Expr } from "../../kernel/expr.js";
import type { BufferInfo, Kernel, Schedule, Step } from "../../kernel/schedule.js";
import type { Backend } from "../backend.js";
import type { WebGPUBackend } from "./backend.js";
import { openWebGPU } from "./index.js";
import { required, useSoftwareAdapter } from "./software-adapter.js";

/**
 * The device for tests. Without one it says in a line what stays uncovered and returns undefined; where `HESSIA_REQUIRE` names webgpu it throws
 * instead, so that a promised backend is never skipped quietly.
 */
export async function webgpuForTests(covers: string): Promise<WebGPUBackend | undefined> {
  useSoftwareAdapter();
  try {
    return await openWebGPU();
  } catch (e) {
    if (required("webgpu")) throw e;
    process.stderr.write(`webgpu: no adapter here; not covered: ${covers} (${e instanceof Error ? e.message : String(e)})\n`);
    return undefined;
  }
}

/** A suite that runs on the device; without one, a single skipped test stands for it. `describe` and `it` are vitest's. */
export const suiteOn =
  (gpu: WebGPUBackend | undefined, describe: (name: string, body: () => void) => unknown, it: { skip(name: string, body: () => void): unknown }) =>
  (name: string, body: () => void): void =>
    void (gpu ? describe(name, body) : it.skip(`${name}: no WebGPU adapter`, () => undefined));

/** A schedule from its parts; what is neither input, constant nor output is a temporary. */
export const schedule = (parts: { buffers: readonly BufferInfo[]; inputs?: readonly number[]; outputs: readonly number[]; steps: readonly Step[]; constants?: Schedule["constants"] }): Schedule =>
  ({ inputs: [], constants: [], arena: { bytes: 0, offsets: new Map() }, ...parts });

export const kernel = (parts: Partial<Kernel> & Pick<Kernel, "dims" | "outputs">): Step => ({ kind: "kernel", kernel: { reduceDims: [], accumulators: [], ...parts } });

/** A step that computes `value` for every element of a vector of length n and stores it in a buffer. */
export const map = (n: number, buffer: number, value: Expr): Step => kernel({ dims: [n], outputs: [{ buffer, index: along, value }] });

/** The index of a vector. */
export const along = { offset: 0, strides: [1] };

export async function execute(backend: Backend, s: Schedule, inputs: readonly TypedArray[], donated: readonly number[] = []): Promise<TypedArray[]> {
  const executable = backend.compile(s);
  const storages = inputs.map((data, i) => backend.write(s.buffers[s.inputs[i]!]!.dtype, data));
  const results = executable.run(storages, donated);
  const values = await Promise.all(results.map((r) => backend.read(r)));
  for (const r of results) r.dispose();
  storages.forEach((x, i) => donated.includes(i) || x.dispose());
  executable.dispose();
  return values;
}

/** Distance in units in the last place of the expected float32; NaN equals NaN, and what is below the normal numbers may be zero. */
export function ulps(got: number, want: number): number {
  const w = Math.fround(want);
  if (Number.isNaN(w) || Number.isNaN(got)) return Number.isNaN(w) && Number.isNaN(got) ? 0 : Infinity;
  if (!Number.isFinite(w) || !Number.isFinite(got)) return got === w || (Math.abs(want) > 3.4028e38 && got === Math.sign(want) * 3.4028234663852886e38) ? 0 : Infinity;
  if (Math.abs(w) < 2 ** -126) return Math.abs(got - want) < 2 ** -126 ? 0 : Infinity;
  return Math.abs(got - want) / 2 ** (Math.floor(Math.log2(Math.abs(w))) - 23);
}

/** Typical and extreme values of a dtype. */
export function samples(dtype: DType): number[] {
  switch (dtype) {
    case "bool": return [0, 1];
    case "int32": return [0, 1, -1, 2, -2, 3, 7, -7, 31, 32, 33, 100, -100, 65536, 46341, 2147483647, -2147483648];
    case "uint32": return [0, 1, 2, 3, 7, 31, 32, 33, 100, 65536, 2147483647, 2147483648, 4294967295];
    default: return [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 2, 3, -3, 10.25, -100.75, 1e-20, 1e20, -1e20, 2 ** 31, 2 ** 32, Infinity, -Infinity, NaN];
  }
}
