import { BackendError } from "../base/errors.js";
import { requireFunction } from "../base/options.js";
import type { Backend } from "./backend.js";

const backends = new Map<string, Backend>();
let current: Backend | undefined;

/** Makes a backend known by its name. */
export function registerBackend(backend: Backend): void {
  backends.set(backend.name, backend);
}

/** Forgets a backend, as a test does that has registered one. If it was the default device, that is again the one of the beginning. */
export function unregisterBackend(name: string): void {
  if (current?.name === name) current = undefined;
  backends.delete(name);
}

/** @throws BackendError for a name that is not registered. */
export function getBackend(name: string): Backend {
  const found = backends.get(name);
  if (!found)
    throw new BackendError({ fn: "device", arg: "name", expected: `one of ${[...backends.keys()].join(", ")}`, got: name, fix: name === "webgpu" ? "await initWebGPU() first" : "register it with registerBackend, or choose one of these" });
  return found;
}

/** Names of the devices ready for use. */
export const devices = (): string[] => [...backends.keys()];

export function defaultBackend(): Backend {
  return (current ??= backends.get("wasm") ?? getBackend("reference"));
}

/**
 * The device of arrays made without one: "wasm" unless set.
 * @throws BackendError for a name that is not registered.
 * @example setDefaultDevice("reference");
 */
export function setDefaultDevice(name: string): void {
  current = getBackend(name);
}
export const defaultDevice = (): string => defaultBackend().name;

/**
 * Runs `f` with another default device, and puts the old one back, also when `f` throws. An asynchronous `f` has it until its first `await`.
 * @throws BackendError for a name that is not registered.
 * @example withDevice("reference", () => np.sin(1)).device // "reference"
 */
export function withDevice<T>(name: string, f: () => T): T {
  requireFunction(f, "withDevice", "f", "() => result");
  const before = current;
  current = getBackend(name);
  try {
    return f();
  } finally {
    current = before;
  }
}
