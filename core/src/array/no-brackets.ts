import { ArgumentError } from "../base/errors.js";

const isIndex = (key: string | symbol): key is string => typeof key === "string" && /^-?\d+$/.test(key);

/**
 * What stands behind a prototype to catch `x[0]` and `x[0] = 1`, which JavaScript would otherwise answer with undefined and a stray property.
 * Only lookups of names that do not exist get this far.
 */
export const bracketGuard: object = new Proxy(Object.create(Object.prototype) as object, {
  get(target, key, receiver) {
    if (isIndex(key))
      throw new ArgumentError({ fn: `x[${key}]`, expected: "an index in a method call", got: "brackets, which JavaScript keeps for its own arrays", fix: `x.get(${key}), or x.toArray()[${key}] for plain numbers` });
    return Reflect.get(target, key, receiver) as unknown;
  },
  set(target, key, value, receiver) {
    if (isIndex(key))
      throw new ArgumentError({ fn: `x[${key}] = value`, expected: "an update that makes a new array", got: "an assignment; arrays are immutable", fix: `x = x.at(${key}).set(value)` });
    return Reflect.set(target, key, value, receiver);
  },
});
