import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import type { BackendMemory } from "../backends/backend.js";
import { defaultDevice, devices, getBackend } from "../backends/registry.js";
import { flatten, unflatten } from "../base/tree.js";
import { leafToArray } from "./function-args.js";

/**
 * The pytree with every array on the named device. Arrays that are there already are returned as they are.
 * @throws BackendError for an unknown device, or a dtype that it lacks (float64 on "webgpu").
 * @example const g = await devicePut(x.astype("float32"), "webgpu");
 */
export async function devicePut<T>(tree: T, device: string): Promise<T> {
  const backend = getBackend(device);
  const [leaves, def] = flatten(tree);
  const moved = await Promise.all(leaves.map(async (leaf): Promise<NDArray> => {
    const x = leafToArray(leaf, "devicePut", () => "tree");
    if (!(x instanceof ConcreteArray) || x.backend === backend) return x;
    return ConcreteArray.fromHost(await x.read(), x.aval, backend);
  }));
  return unflatten<T>(def, moved);
}

/**
 * What a device holds and has run: bytes and number of live arrays, the most bytes that were in use at once, and the number of entries into
 * compiled code. On "wasm" arrays up to 8 KiB and those past the heap's 256 MB are JavaScript's, which counts them itself.
 * @throws BackendError for an unknown device.
 * @example const { runs } = memory(); np.add(1, 2); memory().runs - runs; // 1
 */
export const memory = (device: string = defaultDevice()): BackendMemory => getBackend(device).memory();

/**
 * Waits until the arrays of a pytree are computed (all queued work of their devices), and returns it: for timing, and before a process ends.
 * Arrays on the CPU are finished already. Without an argument it waits for every device.
 * @example const t = performance.now(); await blockUntilReady(f(x)); console.log(performance.now() - t);
 */
export async function blockUntilReady<T>(tree?: T): Promise<T> {
  const backends = tree === undefined ? devices().map(getBackend) : flatten(tree)[0].flatMap((x) => (x instanceof ConcreteArray ? [x.backend] : []));
  for (const backend of new Set(backends)) await backend.idle?.();
  return tree as T;
}
