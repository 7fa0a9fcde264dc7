import { ModuleBuilder } from "./assembler/index.js";
import type { FunctionBuilder } from "./assembler/index.js";

const accepts = (write: (f: FunctionBuilder) => void): boolean => {
  const m = new ModuleBuilder();
  write(m.function("probe", []));
  return WebAssembly.validate(m.finish());
};

export interface Features {
  readonly simd: boolean;
  /** Fused multiply-add and its kin, whose rounding differs from machine to machine. */
  readonly relaxed: boolean;
}

/** What this engine's WebAssembly understands. */
export const detectFeatures = (): Features => ({
  simd: accepts((f) => f.f64x2(1).op("f64x2.neg").op("drop")),
  relaxed: accepts((f) => f.f64x2(1).f64x2(1).f64x2(1).op("f64x2.relaxed_madd").op("drop")),
});

interface NodeProcess {
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly versions?: Readonly<Record<string, string | undefined>>;
}

// What a compiler does to a loop shows in no feature test. These are hints which code is fast: a wrong answer costs time, never correctness.

/** Whether V8 joins pairs of vector instructions into 256-bit ones (`--experimental-wasm-revectorize`). */
export function revectorizes({ process } = globalThis as { readonly process?: NodeProcess }): boolean {
  return [...(process?.execArgv ?? []), ...(process?.env?.["NODE_OPTIONS"] ?? "").split(" ")].some((flag) => flag.replaceAll("_", "-") === "--experimental-wasm-revectorize");
}

/** Whether loads stay where the code has them. TurboFan, which compiled WebAssembly in V8 up to version 12, moved them to the front of their block. */
export function keepsOrder({ process } = globalThis as { readonly process?: NodeProcess }): boolean {
  const v8 = process?.versions?.["v8"];
  return v8 === undefined || Number.parseInt(v8) >= 13;
}
