import { BackendError } from "../../base/errors.js";

const wayOut = 'move the operands with await devicePut(x, "wasm"), or setDefaultDevice("wasm") before making them';

/** The error for what the device does not have; `fn` is the function, routine or step at fault. */
export const unsupported = (fn: string, got: string, fix: string = wayOut, expected = 'something the "webgpu" device can run'): BackendError =>
  new BackendError({ fn, expected, got: `${got} on device "webgpu"`, fix });

export const noFloat64 = (fn: string): BackendError =>
  unsupported(fn, "float64", 'cast with x.astype("float32") or call setDefaultFloat("float32"), or keep float64 on the "wasm" device: await devicePut(x, "wasm") or setDefaultDevice("wasm")', "a dtype the device has (bool, int32, uint32, float32)");
