import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import type { BackendMemory } from "../backends/backend.js";
import { defaultDevice, getBackend } from "../backends/registry.js";
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

/** What a device holds and has run: live bytes and arrays, the peak, and the number of entries into compiled code. */
export const memory = (device: string = defaultDevice()): BackendMemory => getBackend(device).memory();
