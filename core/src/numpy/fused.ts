import type { NDArray } from "../array/ndarray.js";
import { defaultFloat } from "../base/dtype.js";
import { compileProgram } from "../execute/compile.js";
import { CompiledCache } from "../execute/compiled-cache.js";
import { commonBackend, eagerTrace, requireConcrete, runCompiled } from "../trace/eager.js";
import { stage } from "../trace/stage.js";
import { currentTrace } from "../trace/trace.js";

/** One cache for each default float: what a composite makes of integers and numbers depends on it. */
const caches: Record<ReturnType<typeof defaultFloat>, CompiledCache<string>> = { float64: new CompiledCache(1024, (key) => key), float32: new CompiledCache(1024, (key) => key) };
const noParams = {};
/** Keys of composites that make arrays of their own: these run step by step. */
const notStaged = new Set<string>();

/**
 * Runs a composite of array functions. With nothing traced it is compiled as one Program, so that a chain of elementwise steps is one
 * pass over memory; inside a trace its steps are recorded as they are. `key` must tell apart everything but the arrays that `f` depends on.
 */
export function fusedAll(key: string, arrays: readonly NDArray[], f: (...xs: NDArray[]) => readonly NDArray[]): NDArray[] {
  if (currentTrace() !== eagerTrace || notStaged.has(key)) return [...f(...arrays)];
  const concrete = requireConcrete(arrays, key);
  const backend = commonBackend(concrete, key);
  const cache = caches[defaultFloat()];
  let compiled = cache.get(key, noParams, backend, concrete);
  if (!compiled) {
    const staged = stage(f, concrete.map((x) => x.aval), key);
    if (staged.captured.length > 0) {
      if (notStaged.size >= 1024) notStaged.clear();
      notStaged.add(key);
      return [...f(...arrays)];
    }
    compiled = compileProgram(staged.program, backend);
    cache.set(key, noParams, backend, concrete, compiled);
  }
  return runCompiled(compiled, concrete);
}

/** `fusedAll` for one result. */
export const fused = (key: string, arrays: readonly NDArray[], f: (...xs: NDArray[]) => NDArray): NDArray => fusedAll(key, arrays, (...xs) => [f(...xs)])[0]!;
