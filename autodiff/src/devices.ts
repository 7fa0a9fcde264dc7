import { defaultDevice, type NDArray, withDevice } from "@hessia/core";

/** The device of the arrays that a transform was given, where it is known and not the default. */
export function deviceToUse(arrays: readonly NDArray[]): string | undefined {
  const found = arrays.find((x) => !x.weak && x.device !== "traced");
  const device = found?.device;
  return device === undefined || device === defaultDevice() ? undefined : device;
}

/** Runs `f` where constants of derivatives are made on the device of the arrays they meet. */
export const onDevice = <T>(device: string | undefined, f: () => T): T => (device === undefined ? f() : withDevice(device, f));
