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

/**
 * Whether V8 joins pairs of vector instructions into 256-bit ones (`--experimental-wasm-revectorize`). Only a hint which blocks are
 * fast: a wrong answer costs time, never correctness.
 */
export function revectorizes(): boolean {
  const { process } = globalThis as { readonly process?: { readonly execArgv?: readonly string[]; readonly env?: Readonly<Record<string, string | undefined>> } };
  return [...(process?.execArgv ?? []), ...(process?.env?.["NODE_OPTIONS"] ?? "").split(" ")].some((flag) => flag.replaceAll("_", "-") === "--experimental-wasm-revectorize");
}
