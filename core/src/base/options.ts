import { ArgumentError } from "./errors.js";

/** What a JavaScript value is, for error texts. */
export function describeValue(x: unknown): string {
  if (x === null || x === undefined) return String(x);
  if (typeof x === "function") return x.name ? `the function ${x.name}` : "a function";
  if (typeof x === "string") return `the string ${JSON.stringify(x)}`;
  if (Array.isArray(x)) return `an Array of ${x.length}`;
  if (x instanceof Promise) return "a Promise";
  if (typeof x === "object") return `an instance of ${(x.constructor as { name?: string } | undefined)?.name || "Object"}`;
  return `${typeof x} ${String(x)}`;
}

/**
 * The trailing options object of a function: refuses what is none, and names no one knows.
 * @throws ArgumentError naming the function and its options.
 */
export function requireOptions<O extends object>(options: O | undefined, fn: string, names: readonly (keyof O & string)[]): O {
  if (options === undefined) return {} as O;
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new ArgumentError({ fn, arg: "options", expected: `an object with ${names.join(", ")}`, got: describeValue(options), fix: `write ${fn}(..., { ${names[0]}: ... })` });
  for (const name of Object.keys(options))
    if (!(names as readonly string[]).includes(name)) throw new ArgumentError({ fn, arg: name, expected: `one of the options ${names.join(", ")}`, got: `the unknown option "${name}"`, fix: "check the spelling: options are camelCase" });
  return options;
}

/** An integer argument. */
export function requireInteger(value: unknown, fn: string, arg: string, least = -Infinity): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least) return value;
  throw new ArgumentError({ fn, arg, expected: `an integer${least === -Infinity ? "" : ` of at least ${least}`}`, got: typeof value === "number" ? String(value) : describeValue(value), fix: "pass a whole number" });
}

/** One of several words. */
export function requireChoice<T extends string>(value: unknown, choices: readonly T[], fn: string, arg: string): T {
  if ((choices as readonly unknown[]).includes(value)) return value as T;
  throw new ArgumentError({ fn, arg, expected: `one of ${choices.map((c) => `"${c}"`).join(", ")}`, got: describeValue(value), fix: "use one of these words" });
}

/** A function argument; `signature` shows what it is called with. */
export function requireFunction<F>(f: F, fn: string, arg: string, signature: string): F {
  if (typeof f === "function") return f;
  throw new ArgumentError({ fn, arg, expected: `a function ${signature}`, got: describeValue(f), fix: "pass the function itself, not its result" });
}
