import { ArgumentError, type DType, NDArray, np, type Shape } from "@hessia/core";
import type { Initializer } from "../functions/initializers.js";
import { currentFrame, haikuNaming, isRunning, Run, runTop, variableValue } from "./run.js";
import { flatLayout, requireVariables, type VariableTree } from "./variables.js";

/** Parameters or state in Haiku's layout: arrays by name, by module path. */
export type FlatVariables = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
type Key = NDArray | null;

export interface Transformed<A extends readonly unknown[], R> {
  /** Makes the parameters by running the function once. */
  init(key: Key, ...inputs: A): FlatVariables;
  /** Runs the function with given parameters; `key` may be null when nothing is drawn. */
  apply(params: FlatVariables, key: Key, ...inputs: A): R;
}
export interface TransformedWithState<A extends readonly unknown[], R> {
  init(key: Key, ...inputs: A): [params: FlatVariables, state: FlatVariables];
  /** The result, and the state afterwards. */
  apply(params: FlatVariables, state: FlatVariables, key: Key, ...inputs: A): [R, FlatVariables];
}

export interface TransformOptions {
  /** Refuse parameters that the function never read (default true). */
  readonly strict?: boolean;
}

/** Which of the transformed functions take state: their `apply` has one argument more. */
const stateful = new WeakSet<object>();

/** All collections but `params` count as state: a name belongs to one of them. */
const stateOnly = (all: Readonly<Record<string, VariableTree>>): FlatVariables => {
  const merged: Record<string, Record<string, unknown>> = {};
  for (const [collection, tree] of Object.entries(all)) {
    if (collection === "params") continue;
    for (const [path, group] of Object.entries(tree as FlatVariables)) for (const [name, value] of Object.entries(group)) (merged[path] ??= {})[name] = value;
  }
  return merged;
};

function requireKey(key: unknown, fn: string): Key {
  if (key === null || key === undefined) return null;
  if (key instanceof NDArray) return key;
  throw new ArgumentError({ fn, arg: "key", expected: "a random key or null", got: typeof key === "number" ? `the number ${key}` : typeof key, fix: "pass random.key(0); keys come before the function's own arguments" });
}
function requireFlat(tree: unknown, fn: string, arg: string): VariableTree {
  return requireVariables({ [arg]: tree }, fn)[arg]!;
}

class HaikuRun extends Run {
  constructor(fn: string, params: VariableTree, readonly state: VariableTree | null, key: Key, isInitializing: boolean) {
    super({ fn, variables: { params }, isMutable: (c) => isInitializing || (c !== "params" && state !== null), isInitializing, layout: flatLayout, naming: haikuNaming, sequence: key });
  }
  /** Whatever is not a parameter is looked up in the one state. */
  override read(collection: string, path: readonly string[], name: string): unknown {
    const found = super.read(collection, path, name);
    return found !== undefined || collection === "params" || this.state === null ? found : flatLayout.read(this.state, path, name);
  }
}

/**
 * Turns a function that makes and uses parameters (through modules, `getParameter`, `nextRngKey`) into a pair of pure functions, as Haiku
 * does. Parameters lie in one object for each module's path, `{ "mlp/linear_0": { kernel, bias } }`; keys come from one sequence by splitting.
 * The function may also call modules' `call` and other transformed functions' `apply`.
 * @throws ArgumentError when the function uses state: use `transformWithState`; TreeError and ShapeError for parameters that do not fit.
 * @example
 * const net = nn.transform((x: NDArray) => new nn.MLP([32, 10]).call(x));
 * const params = net.init(random.key(0), np.ones([1, 64]));
 * const logits = net.apply(params, null, np.ones([1, 64]));
 */
export function transform<A extends readonly unknown[], R>(f: (...inputs: A) => R, options: TransformOptions = {}): Transformed<A, R> {
  const both = transformWithState(f, options);
  const requireNone = (state: FlatVariables, fn: string): void => {
    const paths = Object.keys(state);
    if (paths.length > 0) throw new ArgumentError({ fn, arg: "f", expected: "a function without state", got: `state of ${paths.slice(0, 3).join(", ")}`, fix: "use transformWithState" });
  };
  return {
    init(key, ...inputs) {
      const [params, state] = both.init(key, ...inputs);
      requireNone(state, "transform.init");
      return params;
    },
    apply(params, key, ...inputs) {
      const [y, state] = both.apply(params, {}, key, ...inputs);
      requireNone(state, "transform.apply");
      return y;
    },
  };
}

/** `transform` for functions with state (`getState`, `setState`, BatchNorm): init gives `[params, state]`, apply takes both and gives `[result, state]`. */
export function transformWithState<A extends readonly unknown[], R>(f: (...inputs: A) => R, options: TransformOptions = {}): TransformedWithState<A, R> {
  if (typeof f !== "function") throw new ArgumentError({ fn: "transform", arg: "f", expected: "a function", got: typeof f, fix: "wrap the module: transform((x) => net.call(x))" });
  const both: TransformedWithState<A, R> = {
    init(key, ...inputs) {
      const run = new HaikuRun("transform.init", {}, {}, requireKey(key, "transform.init"), true);
      runTop(run, null, () => f(...inputs));
      return [(run.variables["params"] ?? {}) as FlatVariables, stateOnly(run.variables)];
    },
    apply(params, state, key, ...inputs) {
      const fn = "transform.apply";
      const before = requireFlat(state, fn, "state");
      const run = new HaikuRun(fn, requireFlat(params, fn, "params"), before, requireKey(key, fn), false);
      const y = runTop(run, null, () => f(...inputs));
      if (options.strict ?? true) run.requireAllUsed("params");
      const after = stateOnly(run.variables);
      const merged: Record<string, Readonly<Record<string, unknown>>> = { ...(before as FlatVariables) };
      for (const [path, group] of Object.entries(after)) merged[path] = { ...merged[path], ...group };
      return [y, merged];
    },
  };
  stateful.add(both);
  return both;
}

/** Functions by name, as `multiTransform` takes and gives them. */
export type MultiFunctions = Readonly<Record<string, (...inputs: never[]) => unknown>>;

/**
 * Transforms several functions that share modules: `f` returns the function that makes all parameters, and an object of functions to apply.
 * @example
 * const { init, apply } = nn.multiTransform(() => {
 *   const encoder = new nn.Linear(2), decoder = new nn.Linear(8);
 *   const encode = (x: NDArray) => encoder.call(x), decode = (z: NDArray) => decoder.call(z);
 *   return [(x: NDArray) => decode(encode(x)), { encode, decode }];
 * });
 * apply.encode(params, null, x);
 */
export function multiTransform<A extends readonly unknown[], F extends MultiFunctions>(f: () => readonly [(...inputs: A) => unknown, F]): {
  init: Transformed<A, unknown>["init"];
  apply: { [K in keyof F]: (params: FlatVariables, key: Key, ...inputs: Parameters<F[K]>) => ReturnType<F[K]> };
} {
  const names = Object.keys(transform(() => f()[1], { strict: false }).apply({}, null));
  const apply = Object.fromEntries(names.map((name) => [name, transform((...inputs: never[]) => f()[1][name]!(...inputs), { strict: false }).apply]));
  return { init: transform((...inputs: A) => f()[0](...inputs)).init, apply: apply as never };
}

/** Drops the key from `apply` of a transformed function that draws nothing at random. @example const { init, apply } = nn.withoutApplyRng(nn.transform(f)); */
export function withoutApplyRng<A extends readonly unknown[], R>(t: Transformed<A, R>): { init: Transformed<A, R>["init"]; apply(params: FlatVariables, ...inputs: A): R };
export function withoutApplyRng<A extends readonly unknown[], R>(t: TransformedWithState<A, R>): { init: TransformedWithState<A, R>["init"]; apply(params: FlatVariables, state: FlatVariables, ...inputs: A): [R, FlatVariables] };
export function withoutApplyRng(t: { init: (...args: never[]) => unknown; apply: (...args: never[]) => unknown }): unknown {
  const apply = t.apply as (...args: unknown[]) => unknown;
  const withState = stateful.has(t);
  return { init: t.init, apply: (...args: unknown[]) => (withState ? apply(args[0], args[1], null, ...args.slice(2)) : apply(args[0], null, ...args.slice(1))) };
}
/**
 * A parameter of the module or transformed function at work: `init(key, shape, dtype)` makes it in init.
 * @throws ArgumentError outside of a run or without `init` when it must be made; TreeError and ShapeError when it is missing or does not fit.
 * @example nn.transform((x) => np.matmul(x, nn.getParameter("w", [3, 2], "float32", nn.initializers.lecunNormal())))
 */
export function getParameter(name: string, shape: Shape, dtype: DType = "float32", init?: Initializer): NDArray {
  const fn = "getParameter";
  const frame = currentFrame(fn);
  const make = (key: NDArray | undefined): NDArray => {
    if (!init) throw new ArgumentError({ fn, arg: "init", expected: `an initializer for the new parameter "${name}"`, got: "none", fix: "pass one: nn.initializers.zeros" });
    return init(key!, shape, dtype);
  };
  return variableValue(frame, "params", name, shape, { needsKey: true, make, abstract: () => np.zeros(shape, { dtype }) }, fn) as NDArray;
}

/** A value of the state of the module or transformed function at work; made by `init` when it is new. @throws TreeError when it is missing and there is no `init`. */
export function getState(name: string, shape?: Shape, dtype: DType = "float32", init?: Initializer): NDArray {
  const fn = "getState";
  const frame = currentFrame(fn);
  const make = (key: NDArray | undefined): NDArray => {
    if (!init || !shape) throw new ArgumentError({ fn, arg: "init", expected: `a shape and an initializer for the new state "${name}"`, got: "none", fix: 'pass them: getState("count", [], "int32", nn.initializers.zeros)' });
    return init(key!, shape, dtype);
  };
  return variableValue(frame, "state", name, shape, { needsKey: true, make, abstract: () => make(np.zeros([2], { dtype: "uint32" })) }, fn) as NDArray;
}

/** Sets a value of the state. @throws ArgumentError where state may not change. */
export function setState(name: string, value: unknown): void {
  const fn = "setState";
  const { run, scope } = currentFrame(fn);
  if (!run.options.isMutable("state")) throw new ArgumentError({ fn, arg: name, expected: "a run in which state may change", got: "one in which it may not", fix: 'use transformWithState, or apply with { mutable: ["state"] }' });
  run.write("state", scope.path, name, value);
}

/** The next key of the random sequence. @throws ArgumentError when no key was passed. */
export function nextRngKey(): NDArray {
  const { run, scope } = currentFrame("nextRngKey");
  return run.nextKey(scope, "params", "nextRngKey")();
}
/** `nextRngKey`, or null when no key was passed. */
export function maybeNextRngKey(): NDArray | null {
  const { run } = currentFrame("maybeNextRngKey");
  return run.hasKey ? nextRngKey() : null;
}
/** True while variables are being made. */
export const runningInit = (): boolean => isRunning() && currentFrame("runningInit").run.options.isInitializing;
