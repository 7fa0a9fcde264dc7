import type { Backend } from "../backends/backend.js";
import { type Aval, formatAval } from "../ir/aval.js";
import { paramsKey } from "../ir/params-key.js";
import type { AnyPrimitive, Params } from "../ir/primitive.js";
import { ProgramBuilder } from "../ir/program.js";
import { type Compiled, compileProgram } from "./compile.js";
import { LruCache } from "./lru.js";

const cache = new LruCache<string, Compiled>(2048, (c) => c.executable.dispose());

/** The one-equation Program of a primitive, compiled; cached by primitive, params, types and device. */
export function compiledPrimitive(primitive: AnyPrimitive, types: readonly Aval[], params: Params, backend: Backend): Compiled {
  let key = `${backend.name} ${primitive.name} ${paramsKey(params)}`;
  for (const t of types) key += ` ${formatAval(t)}`;
  let compiled = cache.get(key);
  if (!compiled) {
    const builder = new ProgramBuilder();
    const inputs = types.map((t) => builder.input(t));
    compiled = compileProgram(builder.build(builder.equation(primitive, inputs, params)), backend);
    cache.set(key, compiled);
  }
  return compiled;
}

export const eagerCacheStats = (): { size: number; hits: number; misses: number } => ({ size: cache.size, hits: cache.hits, misses: cache.misses });
export const clearEagerCache = (): void => cache.clear();
