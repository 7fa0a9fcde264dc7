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
