import type { TypedArray } from "../../../base/dtype.js";
import { ModuleBuilder } from "../assembler/index.js";
import { detectFeatures } from "../features.js";
import type { FloatDType } from "../functions/contract.js";
import { ModuleFunctions } from "../functions/library.js";
import { emitGemm, panelsOf } from "./static.js";
import type { BlockName, GemmCode, GemmContext, GemmSpec } from "./spec.js";

export interface Variant {
  readonly simd: boolean;
  readonly relaxed: boolean;
  readonly block: BlockName;
}

const { relaxed } = detectFeatures();
const blocks = ["narrow", "full", "wide"] as const;
/** What this engine can run, with every block whether it suits the engine or not. */
export const variants: readonly Variant[] = [
  { simd: false, relaxed: false, block: "narrow" },
  ...[false, ...(relaxed ? [true] : [])].flatMap((fused) => blocks.map((block) => ({ simd: true, relaxed: fused, block }))),
];

interface Compiled {
  readonly memory: WebAssembly.Memory;
  readonly run: (...args: number[]) => void;
  readonly scratchBytes: number;
}

/** One function of a module of its own. */
export const compile = (variant: Variant, emit: (context: GemmContext) => GemmCode): Compiled => compileAll(variant, [emit])[0]!;

function compileAll(variant: Variant, emits: readonly ((context: GemmContext) => GemmCode)[]): Compiled[] {
  const module = new ModuleBuilder();
  module.importMemory("host", "memory", 1, 65535);
  const library = new ModuleFunctions(module, variant.relaxed, () => 0);
  const codes = emits.map((emit) => emit({ module, library, simd: variant.simd, block: variant.block }));
  codes.forEach(({ target }, i) => module.export(`gemm${i}`, target));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65535 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { host: { memory } });
  return codes.map(({ scratchBytes }, i) => ({ memory, run: instance.exports[`gemm${i}`] as (...args: number[]) => void, scratchBytes }));
}

/** Checks products that share one module, and so their tiles and packers. */
export function checkAll(variant: Variant, specs: readonly GemmSpec[]): void {
  compileAll(variant, specs.map((spec) => (context) => emitGemm(context, spec))).forEach((runner, i) => { checkGemm(variant, specs[i]!, { runner }); });
}

/** The same for products with a prepacked operand: they are packed right before. */
export function checkPrepacked(variant: Variant, specs: readonly GemmSpec[], side: "a" | "b"): void {
  const packed = (spec: GemmSpec, i: number) => (context: GemmContext): GemmCode => {
    const panels = panelsOf(context, spec, side);
    const { target, scratchBytes } = emitGemm(context, panels.spec);
    const f = context.module.function(`packed${i}`, ["i32", "i32", "i32", "i32"]);
    const [A, B, C, scratch] = [0, 1, 2, 3];
    f.get(side === "a" ? A : B).get(scratch).call(panels.pack);
    f.get(side === "a" ? scratch : A).get(side === "b" ? scratch : B).get(C).get(scratch).i32(panels.bytes).op("i32.add").call(target);
    return { target: f, scratchBytes: panels.bytes + scratchBytes };
  };
  compileAll(variant, specs.map(packed)).forEach((runner, i) => { checkGemm(variant, specs[i]!, { runner }); });
}

const sizeOf = (dtype: FloatDType): number => (dtype === "float32" ? 4 : 8);
const viewOf = (dtype: FloatDType, memory: WebAssembly.Memory, at: number, length: number): Float32Array | Float64Array =>
  dtype === "float32" ? new Float32Array(memory.buffer, at, length) : new Float64Array(memory.buffer, at, length);

/** Elements from the first to the last that strides reach. */
const extent = (...steps: (readonly [count: number, stride: number])[]): number =>
  steps.some(([count]) => count === 0) ? 0 : 1 + steps.reduce((sum, [count, stride]) => sum + (count - 1) * stride, 0);

/** Not a number that a sum could give: what is outside C must still hold it afterwards. */
const untouched = 7.25e30;

/**
 * Lays A, B, C and the scratch room out so that whatever lies right behind and before an operand is recognisable, runs, and compares
 * with double-precision sums. Reads outside give NaN, writes outside are found.
 */
export function checkGemm(variant: Variant, spec: GemmSpec, { dynamic = false, mode = spec.accumulate ? 1 : 0, runner: code }: { readonly dynamic?: boolean; readonly mode?: number; readonly runner: Compiled }): void {
  const { dtype, m, n, k, a, b, c } = spec;
  const size = sizeOf(dtype);
  const guard = 64;
  const lengths = [extent([m, a.row], [k, a.k]), extent([k, b.k], [n, b.column]), extent([m, c.row], [n, 1])] as const;
  const places: number[] = [];
  // Operands begin at addresses that are aligned to their elements only.
  let end = 64 + size;
  for (const length of lengths) {
    places.push(end + guard * size);
    end += (length + 2 * guard) * size;
  }
  const scratch = Math.ceil(end / 16) * 16;
  const bytes = scratch + code.scratchBytes + 64;
  if (bytes > code.memory.buffer.byteLength) code.memory.grow(Math.ceil((bytes - code.memory.buffer.byteLength) / 65536));
  new Uint8Array(code.memory.buffer).fill(0xff, 0, bytes);
  const views = lengths.map((length, i) => viewOf(dtype, code.memory, places[i]!, length));
  const [A, B, C] = views as [TypedArray, TypedArray, TypedArray];
  let seed = 12345 + m * 31 + n * 17 + k;
  const next = (): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed / 0x40000000 - 1;
  };
  for (let i = 0; i < m; i++) for (let p = 0; p < k; p++) A[i * a.row + p * a.k] = next();
  for (let p = 0; p < k; p++) for (let j = 0; j < n; j++) B[p * b.k + j * b.column] = next();
  C.fill(untouched);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) C[i * c.row + j] = mode === 0 ? NaN : next();
  const before = C.slice();
  const what = `${JSON.stringify(variant)} ${JSON.stringify(spec)} mode ${mode}${dynamic ? " dynamic" : ""}`;
  if (dynamic) code.run(m, n, k, places[0]!, a.row, a.k, places[1]!, b.k, b.column, places[2]!, c.row, mode, scratch);
  else code.run(places[0]!, places[1]!, places[2]!, scratch);
  const unit = (dtype === "float32" ? 2 ** -24 : 2 ** -53) * (4 + k);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < (i === m - 1 ? n : Math.max(n, c.row)); j++) {
      const at = i * c.row + j;
      if (j >= n) {
        if (C[at] !== before[at]) throw new Error(`${what}: wrote between the rows, C[${i},${j}]`);
        continue;
      }
      let [sum, scale] = [mode === 0 ? 0 : before[at]!, mode === 0 ? 0 : Math.abs(before[at]!)];
      for (let p = 0; p < k; p++) {
        const t = A[i * a.row + p * a.k]! * B[p * b.k + j * b.column]!;
        sum += mode === 2 ? -t : t;
        scale += Math.abs(t);
      }
      if (!(Math.abs(C[at]! - sum) <= unit * scale)) throw new Error(`${what}: C[${i},${j}] is ${C[at]}, expected ${sum}`);
    }
  const raw = new Uint8Array(code.memory.buffer);
  lengths.forEach((length, i) => {
    for (let g = 1; g <= guard * size; g++)
      if (raw[places[i]! - g] !== 0xff || raw[places[i]! + length * size + g - 1] !== 0xff) throw new Error(`${what}: wrote outside of operand ${i}`);
  });
  for (let g = 0; g < 64; g++) if (raw[scratch + code.scratchBytes + g] !== 0xff) throw new Error(`${what}: wrote behind the scratch room`);
}
