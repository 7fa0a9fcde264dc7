import { jit, type NDArray } from "@hessia/core";
import { ConcreteArray } from "@hessia/core/extend";

/** A composite that runs as one compiled program where its arguments have values; transforms see its operations as ever. */
export function asOne<A extends readonly NDArray[], R>(f: (...args: A) => R): (...args: A) => R {
  const compiled = jit(f as (...args: readonly NDArray[]) => R) as unknown as (...args: A) => R;
  return (...args) => (args.every((x) => x instanceof ConcreteArray) ? compiled : f)(...args);
}
