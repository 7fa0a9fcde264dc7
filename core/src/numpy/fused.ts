import type { NDArray } from "../array/ndarray.js";
import { type Compiled, compileProgram } from "../execute/compile.js";
import { LruCache } from "../execute/lru.js";
import { formatAval } from "../ir/aval.js";
import { commonBackend, eagerTrace, requireConcrete, runCompiled } from "../trace/eager.js";
import { stage } from "../trace/stage.js";
import { currentTrace } from "../trace/trace.js";

const cache = new LruCache<string, Compiled>(1024, (c) => c.executable.dispose());

/**
 * Runs a composite of array functions. With nothing traced it is compiled as one Program, so that a chain of elementwise steps is one
 * pass over memory; inside a trace its steps are recorded as they are. `key` must tell apart everything but the arrays that `f` depends on.
 */
export function fusedAll(key: string, arrays: readonly NDArray[], f: (...xs: NDArray[]) => readonly NDArray[]): NDArray[] {
  if (currentTrace() !== eagerTrace) return [...f(...arrays)];
  const concrete = requireConcrete(arrays, key);
  const backend = commonBackend(concrete, key);
  let full = `${backend.name} ${key}`;
  for (const x of concrete) full += ` ${formatAval(x.aval)}`;
  let compiled = cache.get(full);
  if (!compiled) {
    const staged = stage(f, concrete.map((x) => x.aval), key);
    if (staged.captured.length > 0) return [...f(...arrays)];
    compiled = compileProgram(staged.program, backend);
    cache.set(full, compiled);
  }
  return runCompiled(compiled, concrete);
}

/** `fusedAll` for one result. */
export const fused = (key: string, arrays: readonly NDArray[], f: (...xs: NDArray[]) => NDArray): NDArray => fusedAll(key, arrays, (...xs) => [f(...xs)])[0]!;
