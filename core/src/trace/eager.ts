import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import type { Backend, Storage } from "../backends/backend.js";
import { BackendError, LeakedTracerError, ProgramError } from "../base/errors.js";
import { defaultBackend } from "../backends/registry.js";
import type { Compiled } from "../execute/compile.js";
import { compiledPrimitive } from "../execute/eager.js";
import { formatAval } from "../ir/aval.js";
import type { AnyPrimitive, Params } from "../ir/primitive.js";
import { setBaseTrace, Trace, Tracer } from "./trace.js";

/** The device of an operation: that of its inputs. Scalars from JavaScript numbers go anywhere. */
export function commonBackend(inputs: readonly ConcreteArray[], fn: string): Backend {
  let found: ConcreteArray | undefined;
  for (const x of inputs) {
    if (x.weak && x.hostData) continue;
    if (found && found.backend !== x.backend)
      throw new BackendError({ fn, expected: "arrays on one device", got: `"${found.device}" and "${x.device}"`, fix: `move one: await devicePut(x, "${found.device}")` });
    found ??= x;
  }
  return (found ?? inputs[0])?.backend ?? defaultBackend();
}

/** Computes at once: a primitive becomes a one-equation Program whose compiled form is cached. */
class EagerTrace extends Trace {
  readonly name = "eager evaluation";

  process(primitive: AnyPrimitive, inputs: readonly NDArray[], params: Params): NDArray[] {
    return evaluate(primitive, inputs, params);
  }
}

export function requireConcrete(inputs: readonly NDArray[], fn: string): ConcreteArray[] {
  for (const x of inputs) {
    if (x instanceof ConcreteArray) {
      x.requireAlive(fn);
      continue;
    }
    if (x instanceof Tracer) {
      x.requireAlive(fn);
      throw new LeakedTracerError({ fn, expected: "values of the running computation", got: `${String(x)} outside its transform`, fix: "return values from the transformed function instead of storing them outside it" });
    }
    throw new ProgramError({ fn, expected: "NDArrays", got: String(x), fix: "convert with np.array" });
  }
  return inputs as ConcreteArray[];
}

function evaluate(primitive: AnyPrimitive, inputs: readonly NDArray[], params: Params): NDArray[] {
  const arrays = requireConcrete(inputs, primitive.name);
  return runCompiled(compiledPrimitive(primitive, arrays, params, commonBackend(arrays, primitive.name)), arrays);
}

/** Runs compiled code on concrete arrays. */
export function runCompiled(compiled: Compiled, arrays: readonly ConcreteArray[], donated?: readonly number[]): NDArray[] {
  const { backend, outputTypes } = compiled;
  // Loops, not closures: this is the path of every call.
  const storages = new Array<Storage>(arrays.length);
  for (let i = 0; i < arrays.length; i++) storages[i] = storageOn(arrays[i]!, backend);
  let results: Storage[];
  try {
    results = compiled.run(storages, donated);
  } catch (e) {
    if (donated) nameLost(arrays, donated, e);
    throw e;
  }
  // Gone only now: a call that fails before it writes has taken nothing.
  if (donated) for (const i of donated) arrays[i]!.donate();
  const out = new Array<NDArray>(results.length);
  for (let i = 0; i < results.length; i++) out[i] = ConcreteArray.fromStorage(results[i]!, outputTypes[i]!, backend);
  return out;
}

/** The error of a call says which of the arrays that were donated to it are lost. */
function nameLost(arrays: readonly ConcreteArray[], donated: readonly number[], error: unknown): void {
  const lost = donated.filter((i) => arrays[i]!.lost()).map((i) => formatAval(arrays[i]!.aval));
  if (lost.length === 0 || !(error instanceof Error)) return;
  const named = lost.length > 4 ? `${lost.slice(0, 3).join(", ")} and ${lost.length - 3} more` : lost.join(", ");
  error.message += ` The call had begun: the arrays donated to it (${named}) are overwritten in part and gone.`;
}

/** Scalars made on another device are written anew; everything else is there already. */
export function storageOn(x: ConcreteArray, backend: Backend): Storage {
  return x.backend === backend ? x.storage : backend.write(x.dtype, x.hostData!);
}

export const eagerTrace = new EagerTrace();
setBaseTrace(eagerTrace);
