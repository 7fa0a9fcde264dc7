import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import { defaultBackend, withDevice } from "../backends/registry.js";

/** Runs on an array's device what has no operand there to say where: lists made into arrays, counters. */
export function beside<T>(x: NDArray | undefined, f: () => T): T {
  return x instanceof ConcreteArray && x.backend !== defaultBackend() ? withDevice(x.backend.name, f) : f();
}
