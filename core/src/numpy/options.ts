import { type DType, requireDType } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";

/**
 * The trailing options object of a function: refuses what is none, and names no one knows.
 * @throws ArgumentError naming the function and its options.
 */
export function requireOptions<O extends object>(options: O | undefined, fn: string, names: readonly (keyof O & string)[]): O {
  if (options === undefined) return {} as O;
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new ArgumentError({ fn, arg: "options", expected: `an object with ${names.join(", ")}`, got: JSON.stringify(options) ?? String(options), fix: `write ${fn}(..., { ${names[0]}: ... })` });
  for (const name of Object.keys(options))
    if (!(names as readonly string[]).includes(name)) throw new ArgumentError({ fn, arg: name, expected: `one of the options ${names.join(", ")}`, got: `the unknown option "${name}"`, fix: "check the spelling: options are camelCase" });
  return options;
}

export const optionalDType = (dtype: DType | undefined, fn: string): DType | undefined => (dtype === undefined ? undefined : requireDType(dtype, fn));

/** An integer argument. */
export function requireInteger(value: unknown, fn: string, arg: string, least = -Infinity): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least) return value;
  throw new ArgumentError({ fn, arg, expected: `an integer${least === -Infinity ? "" : ` of at least ${least}`}`, got: typeof value === "number" ? String(value) : `${typeof value} ${String(value)}`, fix: "pass a whole number" });
}

/** One of several words. */
export function requireChoice<T extends string>(value: unknown, choices: readonly T[], fn: string, arg: string): T {
  if ((choices as readonly unknown[]).includes(value)) return value as T;
  throw new ArgumentError({ fn, arg, expected: `one of ${choices.map((c) => `"${c}"`).join(", ")}`, got: JSON.stringify(value) ?? String(value), fix: "use one of these words" });
}
