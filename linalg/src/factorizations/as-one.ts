import { jit, NDArray } from "@hessia/core";
import { ConcreteArray } from "@hessia/core/extend";

/** A composite that runs as one compiled program where its arguments have values; transforms see its operations as ever. `staticArgnums` are the places of settings. */
export function asOne<A extends readonly unknown[], R>(f: (...args: A) => R, staticArgnums: readonly number[] = []): (...args: A) => R {
  const compiled = jit(f as (...args: readonly unknown[]) => R, { staticArgnums }) as unknown as (...args: A) => R;
  return (...args) => (args.every((x) => x instanceof ConcreteArray || !(x instanceof NDArray)) ? compiled : f)(...args);
}
