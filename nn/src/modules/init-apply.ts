import { ArgumentError, evalShape, NDArray, ShapeDtype, tree } from "@hessia/core";
import { type CallRecord, type Deferred, Run, runTop, type Scoped } from "./run.js";
import { isDict, nestedLayout, requireVariables, type Variables, type VariableTree } from "./variables.js";

/** One key for all streams of random numbers, or one for each. */
export type Rngs = NDArray | Readonly<Record<string, NDArray>>;
/** Collections that may be written to: none, all, some, or those that a function picks. */
export type MutableOption = boolean | string | readonly string[] | ((collection: string) => boolean);
/** Another method than `call`: its name, or a function of the module and the inputs. */
export type MethodOption = string | ((module: never, ...inputs: never[]) => unknown);

export interface InitOptions {
  readonly method?: MethodOption | undefined;
}
export interface ApplyOptions extends InitOptions {
  /** Keys of random streams, such as `{ dropout: key }`. */
  readonly rngs?: Rngs | undefined;
  readonly mutable?: MutableOption | undefined;
  /** Refuse parameters that were never read (default true for `call`, false for other methods). */
  readonly strict?: boolean | undefined;
}

function splitOptions<O extends object>(inputs: readonly unknown[], names: readonly string[]): [readonly unknown[], O] {
  const last = inputs.at(-1);
  if (!isDict(last)) return [inputs, {} as O];
  const keys = Object.keys(last);
  return keys.length > 0 && keys.every((k) => names.includes(k)) ? [inputs.slice(0, -1), last as O] : [inputs, {} as O];
}

function requireRngs(rngs: unknown, fn: string): Record<string, NDArray> {
  const bad = (got: string): ArgumentError => new ArgumentError({ fn, arg: "rngs", expected: "a random key, or an object of random keys by stream", got, fix: "pass random.key(0)" });
  if (rngs instanceof NDArray) return { params: rngs };
  if (!isDict(rngs)) throw bad(typeof rngs === "number" ? `the number ${rngs}` : String(rngs));
  for (const [stream, key] of Object.entries(rngs)) if (!(key instanceof NDArray)) throw bad(`${typeof key} for "${stream}"`);
  return rngs as Record<string, NDArray>;
}

function mutability(option: MutableOption | undefined): (collection: string) => boolean {
  if (option === undefined || typeof option === "boolean") return () => option === true;
  if (typeof option === "function") return option;
  const names = typeof option === "string" ? [option] : option;
  return (collection) => names.includes(collection);
}

function methodOf(module: object, option: MethodOption | undefined, fn: string): (inputs: readonly unknown[]) => unknown {
  if (typeof option === "function") return (inputs) => Reflect.apply(option, undefined, [module, ...inputs]);
  const name = option ?? "call";
  const method: unknown = Reflect.get(module, name);
  if (typeof method !== "function") throw new ArgumentError({ fn, arg: "method", expected: `the name of a method of ${module.constructor.name}`, got: JSON.stringify(option) ?? String(option), fix: "check the spelling" });
  return (inputs) => Reflect.apply(method, module, inputs) as unknown;
}

/** Whether a leaf of the inputs takes part in shapes; booleans, strings and functions are settings. */
const isShaped = (x: unknown): x is NDArray | ShapeDtype => x instanceof ShapeDtype || x instanceof NDArray;

/** A run for shapes only: the variables to be made, and what each module got and gave. */
export function traceShapes(module: Scoped & object, rngs: Record<string, NDArray>, inputs: readonly unknown[], option: MethodOption | undefined, fn: string, onCall?: (record: CallRecord) => void): Deferred[] {
  const [leaves, def] = tree.flatten(inputs);
  const shaped = leaves.filter(isShaped).map((x) => (x instanceof ShapeDtype ? x : new ShapeDtype(x.shape, x.dtype, x.weak)));
  const deferred: Deferred[] = [];
  const run = new Run({ fn, rngs, isMutable: () => true, isInitializing: true, deferred, ...(onCall && { onCall }) });
  const body = (...xs: NDArray[]): null => {
    let next = 0;
    const real = tree.unflatten<unknown[]>(def, leaves.map((x) => (isShaped(x) ? xs[next++] : x)));
    runTop(run, module, () => methodOf(module, option, fn)(real));
    return null;
  };
  evalShape(body as (...args: never) => unknown, ...shaped);
  return deferred;
}
/** Carries out the initializers that a run for shapes put off. */
export function makeDeferred(deferred: readonly Deferred[]): Variables {
  let variables: Record<string, VariableTree> = {};
  for (const { collection, path, name, make } of deferred) variables = { ...variables, [collection]: nestedLayout.write(variables[collection] ?? {}, path, name, make()) };
  return variables;
}

const isTraced = (x: unknown): boolean => x instanceof NDArray && x.device === "traced";

/** The arguments of `init`, taken apart. */
export function splitInputs(rngs: Rngs, args: readonly unknown[], fn: string): { keys: Record<string, NDArray>; args: readonly unknown[]; method: MethodOption | undefined } {
  const keys = requireRngs(rngs, fn);
  const [inputs, options] = splitOptions<InitOptions>(args, ["method"]);
  return { keys, args: inputs, method: options.method };
}

/** What the instance method `init` does. */
export function initModule(module: Scoped & object, rngs: Rngs, args: readonly unknown[]): Variables {
  const fn = `${module.constructor.name}.init`;
  const { keys, args: inputs, method } = splitInputs(rngs, args, fn);
  if (tree.leaves(inputs).some((x) => x instanceof ShapeDtype)) return makeDeferred(traceShapes(module, keys, inputs, method, fn));
  const run = new Run({ fn, rngs: keys, isMutable: () => true, isInitializing: true });
  runTop(run, module, () => methodOf(module, method, fn)(inputs));
  const variables = run.mutated();
  if (!tree.leaves([keys, inputs]).some(isTraced)) {
    const lost = tree.flattenWithPath(variables)[0].find(([, x]) => isTraced(x));
    if (lost) throw new ArgumentError({ fn, arg: lost[0].join("."), expected: "variables made outside of inner transforms", got: "one made inside jit, scan, vmap or cond within call", fix: "call the submodule once outside of the transform first (if this.isInitializing())" });
  }
  return variables;
}

/** What the instance method `apply` does. */
export function applyModule(module: Scoped & object, variables: Variables, args: readonly unknown[]): unknown {
  const fn = `${module.constructor.name}.apply`;
  const [inputs, options] = splitOptions<ApplyOptions>(args, ["rngs", "mutable", "method", "strict"]);
  const run = new Run({ fn, variables: requireVariables(variables, fn), rngs: options.rngs === undefined ? {} : requireRngs(options.rngs, fn), isMutable: mutability(options.mutable), isInitializing: false });
  const y = runTop(run, module, () => methodOf(module, options.method, fn)(inputs));
  if (options.strict ?? options.method === undefined) run.requireAllUsed("params");
  return options.mutable === undefined || options.mutable === false ? y : [y, run.mutated()];
}
