import { scalar } from "../array/concrete.js";
import type { Backend } from "../backends/backend.js";
import { type DType, newTypedArray, allDTypes } from "../base/dtype.js";
import { HessiaError } from "../base/errors.js";
import type { AnyPrimitive } from "../ir/primitive.js";
import { allPrimitives } from "../ir/primitive.js";
import { type Law, requireNearNumbers, violated } from "./law.js";
import { backendLaw, type BackendLawOptions } from "./primitive-laws.js";
import { ConcreteArray } from "../array/concrete.js";
import { registerBackend } from "../backends/registry.js";
import { bind1 } from "../trace/trace.js";
import { add } from "../primitives/binary.js";

const edge: Readonly<Record<DType, readonly number[]>> = {
  bool: [0, 1], int32: [0, -1, 2 ** 31 - 1, -(2 ** 31)], uint32: [0, 1, 2 ** 32 - 1],
  float32: [0, -0, 1.5, Infinity, -Infinity, NaN, 2 ** -149, 2 ** 127], float64: [0, -0, 0.1, Infinity, -Infinity, NaN, 5e-324, Number.MAX_VALUE],
};

/** Elements come back as they were written, of every size, and the device keeps its own copy. */
const storageLaw = (backend: Backend): Law => ({
  name: "storage keeps elements",
  check: async () => {
    for (const dtype of backend.dtypes)
      for (const n of [0, 1, 3, 1025]) {
        const data = newTypedArray(dtype, n);
        for (let i = 0; i < n; i++) data[i] = edge[dtype][i % edge[dtype].length]!;
        const storage = backend.write(dtype, data);
        const kept = data.slice();
        data.fill(1);
        if (storage.dtype !== dtype || storage.size !== n) violated(`write: storage is ${storage.dtype}[${storage.size}], expected ${dtype}[${n}]`);
        const got = await backend.read(storage);
        requireNearNumbers(got, kept, {}, `read of ${dtype}[${n}]`);
        for (let i = 0; i < n; i++) if (!Object.is(got[i], kept[i])) violated(`read of ${dtype}[${n}]: element ${i} is ${got[i]}, expected ${kept[i]}`);
        if (backend.readSync) requireNearNumbers(backend.readSync(storage), kept, {}, `readSync of ${dtype}[${n}]`);
        storage.dispose();
        storage.dispose();
      }
    return backend.dtypes.size;
  },
});

/** A dtype that the device lacks is refused with an error of ours. */
const refusalLaw = (backend: Backend): Law => ({
  name: "missing dtypes are refused by name",
  check: () => {
    const missing = allDTypes.filter((d) => !backend.dtypes.has(d));
    for (const dtype of missing) {
      try {
        backend.write(dtype, newTypedArray(dtype, 1));
      } catch (e) {
        if (e instanceof HessiaError && e.message.includes(dtype)) continue;
        throw e;
      }
      violated(`write accepted ${dtype}, which dtypes does not list`);
    }
    return missing.length;
  },
});

/** Live bytes grow with an array and shrink when it is disposed; every run counts. */
const memoryLaw = (backend: Backend): Law => ({
  name: "memory counters",
  check: async () => {
    const before = backend.memory();
    const n = 4096;
    const storage = backend.write("float32", new Float32Array(n));
    const during = backend.memory();
    if (during.liveBytes < before.liveBytes + 4 * n) violated(`liveBytes grew by ${during.liveBytes - before.liveBytes} for ${4 * n} bytes`);
    if (during.liveStorages !== before.liveStorages + 1) violated(`liveStorages grew by ${during.liveStorages - before.liveStorages} for one array`);
    storage.dispose();
    if (backend.memory().liveStorages !== before.liveStorages) violated("dispose does not lower liveStorages");
    if (backend.memory().peakBytes < during.liveBytes) violated("peakBytes is below what was live");
    const runs = backend.memory().runs;
    const x = ConcreteArray.fromHost(Float32Array.of(1, 2), { shape: [2], dtype: "float32", weak: false }, backend);
    const y = bind1(add, [x, x], {});
    requireNearNumbers(await y.read(), [2, 4], {}, "x + x");
    if (backend.memory().runs !== runs + 1) violated(`one operation counted as ${backend.memory().runs - runs} runs`);
    return 1;
  },
});

/** Numbers from JavaScript meet arrays of the device without being moved by hand. */
const scalarLaw = (backend: Backend): Law => ({
  name: "numbers meet arrays",
  check: async () => {
    const x = ConcreteArray.fromHost(Float32Array.of(1), { shape: [], dtype: "float32", weak: false }, backend);
    const y = bind1(add, [x, scalar(2, "float32", true)], {});
    if (y.device !== backend.name) violated(`the sum is on ${y.device}`);
    requireNearNumbers(await y.read(), [3], {}, "x + 2");
    return 1;
  },
});

/**
 * The laws of a device, for any test runner: storage, refusals, counters, and every registered primitive against the reference. Call
 * `installCoreSamples()` first.
 * @example for (const law of backendLaws(myBackend)) test(law.name, async () => { await law.check(); });
 */
export function backendLaws(backend: Backend, options: BackendLawOptions & { readonly primitives?: readonly AnyPrimitive[] } = {}): Law[] {
  registerBackend(backend);
  return [
    storageLaw(backend), refusalLaw(backend), memoryLaw(backend), scalarLaw(backend),
    ...(options.primitives ?? allPrimitives()).map((p): Law => ({ ...backendLaw(p, backend, options), name: `${p.name} agrees with the reference` })),
  ];
}
