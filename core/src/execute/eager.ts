import type { Backend } from "../backends/backend.js";
import type { Aval } from "../ir/aval.js";
import type { AnyPrimitive, Params } from "../ir/primitive.js";
import { ProgramBuilder } from "../ir/program.js";
import { type Compiled, compileProgram } from "./compile.js";
import { CompiledCache } from "./compiled-cache.js";

const cache = new CompiledCache<AnyPrimitive>(2048, (p) => p.name);

/** The one-equation Program of a primitive on arrays of these types, compiled; cached by primitive, params, types and device. */
export function compiledPrimitive(primitive: AnyPrimitive, arrays: readonly { readonly aval: Aval }[], params: Params, backend: Backend): Compiled {
  let compiled = cache.get(primitive, params, backend, arrays);
  if (!compiled) {
    const builder = new ProgramBuilder();
    const inputs = arrays.map((x) => builder.input(x.aval));
    compiled = compileProgram(builder.build(builder.equation(primitive, inputs, params)), backend);
    cache.set(primitive, params, backend, arrays, compiled);
  }
  return compiled;
}

export const eagerCacheStats = (): { size: number; hits: number; misses: number } => cache.stats();
