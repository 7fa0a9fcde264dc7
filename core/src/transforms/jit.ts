import { ConcreteArray } from "../array/concrete.js";
import type { Backend } from "../backends/backend.js";
import { NDArray } from "../array/ndarray.js";
import { defaultBackend, withDevice } from "../backends/registry.js";
import { defaultFloat } from "../base/dtype.js";
import { ArgumentError } from "../base/errors.js";
import { requireFunction, requireInteger, requireOptions } from "../base/options.js";
import { structuralKey } from "../base/structural-key.js";
import { flatten, flattenLike, type TreeDef, unflatten } from "../base/tree.js";
import { type Compiled, compileProgram } from "../execute/compile.js";
import { LruCache, RecentSlots } from "../execute/lru.js";
import { type Aval, formatAval, typesMatch } from "../ir/aval.js";
import { Program } from "../ir/program.js";
import { call } from "../primitives/call.js";
import { commonBackend, eagerTrace, requireConcrete, runCompiled } from "../trace/eager.js";
import { stage } from "../trace/stage.js";
import { bind, currentTrace, Tracer } from "../trace/trace.js";
import { flattenArgs, flattenResult, leafToArray } from "./function-args.js";

export interface JitOptions {
  /** Positions of arguments that are not arrays but settings: a new value means a new compilation. */
  readonly staticArgnums?: number | readonly number[];
  /**
   * Positions of arguments whose memory the call may reuse; they cannot be used afterwards (DisposedError). An array that the call uses twice
   * cannot be donated (ArgumentError).
   */
  readonly donateArgnums?: number | readonly number[];
  /** For error texts and printed Programs. */
  readonly name?: string;
}

interface Entry {
  /** Where the arguments were when the function was traced. */
  readonly device: string;
  readonly program: Program;
  readonly traceMilliseconds: number;
  readonly captured: readonly NDArray[];
  /** Of the arguments, with `undefined` for static ones. */
  readonly tree: TreeDef;
  readonly outTree: TreeDef;
  readonly types: readonly Aval[];
  /** The default float at the time of tracing, which numbers inside the function took. */
  readonly float: string;
  /** Positions of donated arrays among the inputs. */
  readonly donated: readonly number[];
  /** By device. */
  readonly compiled: Map<Backend, Compiled>;
}

export interface JitStats { readonly size: number; readonly hits: number; readonly misses: number; readonly compiles: number }

export interface Jitted<A extends readonly unknown[], R> {
  (...args: A): R;
  /** The Program and its compiled form for these arguments. */
  lower(...args: A): Lowered;
  readonly cacheSize: number;
  stats(): JitStats;
  clearCache(): void;
}

export interface Lowered {
  readonly program: Program;
  /** How long it took to run the function on abstract arguments. */
  readonly traceMilliseconds: number;
  compile(): Compiled;
}

const argnums = (x: number | readonly number[] | undefined, fn: string, option: string): readonly number[] =>
  (x === undefined ? [] : Array.isArray(x) ? (x as readonly unknown[]) : [x]).map((i) => requireInteger(i, fn, option));

/** Positions among `count` arguments; negative ones count from the end. */
function positions(argnums: readonly number[], count: number): ReadonlySet<number> {
  return argnums.length === 0 ? none : new Set(argnums.map((i) => (i < 0 ? i + count : i)));
}
const none: ReadonlySet<number> = new Set();

const staticKey = (value: unknown, fn: string): string =>
  structuralKey(value, (v) => {
    if (!(v instanceof NDArray)) return undefined;
    throw new ArgumentError({ fn, arg: "staticArgnums", expected: "plain values (numbers, strings, functions, small objects)", got: `an array ${formatAval(v.aval)}`, fix: "pass arrays as ordinary arguments" });
  });

const optionNames = ["staticArgnums", "donateArgnums", "name"] as const;

/**
 * Compiles a function: the first call with new types traces it into a Program and compiles that; later ones run the compiled code.
 * Arguments and results are pytrees of arrays; numbers are traced, not baked in.
 *
 * The function must be pure. What it closes over is read once, while tracing: an array becomes part of the compiled function, and a
 * variable assigned anew later is not seen. Static arguments are compared by content where they are plain data, functions and instances of
 * classes by identity. Comparing or computing with a traced value by JavaScript's operators throws; only its truth cannot be caught, since
 * objects are always true: write `cond(x, ...)` or `np.where`, not `if (x)`, `!x`, `x && y` or `x ? a : b`.
 *
 * The last 256 combinations of types and static arguments stay compiled.
 * @throws ConcretizationError where the function branches on a traced value; ArgumentError for leaves that are no arrays; BackendError where
 * a device lacks something that the function needs.
 * @example const f = jit((x: NDArray) => np.tanh(x).sum()); f(np.ones([3]));
 */
export function jit<A extends readonly unknown[], R>(f: (...args: A) => R, options: JitOptions = {}): Jitted<A, R> {
  requireFunction(f, "jit", "f", "(...args) => result");
  requireOptions(options, "jit", optionNames);
  const staticArgs = argnums(options.staticArgnums, "jit", "staticArgnums");
  const donatedArgs = argnums(options.donateArgnums, "jit", "donateArgnums");
  const name = options.name ?? (f.name || "jit");
  const shown = name === "jit" ? name : `jit(${name})`;
  const cache = new LruCache<string, Entry>(256, (e) => {
    e.compiled.forEach((c) => c.executable.dispose());
    e.compiled.clear();
  });
  const recent = new RecentSlots<string, Entry>();
  let compiles = 0;

  /** The entry of a call like one of the last few, without a key made of text. */
  const prepareAgain = (args: readonly unknown[]): { leaves: NDArray[]; entry: Entry } | undefined => {
    for (const slot of recent.list) {
      const entry = slot.value;
      const leaves: NDArray[] = [];
      if (!slot.kept || entry.float !== defaultFloat() || !flattenLike(entry.tree, args, leaves, isArray)) continue;
      for (let i = 0; i < leaves.length; i++) {
        const leaf: unknown = leaves[i];
        if (leaf instanceof NDArray) continue;
        if (typeof leaf !== "number" && typeof leaf !== "boolean") return undefined;
        leaves[i] = leafToArray(leaf, shown, () => "");
      }
      if (!typesMatch(entry.types, leaves) || entry.device !== deviceOf(leaves).name || !entry.captured.every(isAlive)) continue;
      cache.touch(slot);
      return { leaves, entry };
    }
    return undefined;
  };

  const prepare = (args: readonly unknown[]): { leaves: NDArray[]; entry: Entry } => {
    const again = staticArgs.length === 0 ? prepareAgain(args) : undefined;
    if (again) return again;
    const statics = positions(staticArgs, args.length);
    const dynamic = statics.size === 0 ? args : args.map((a, i) => (statics.has(i) ? undefined : a));
    const [leaves, tree] = flattenArgs(dynamic, shown);
    // Numbers inside the function take the default float at the time of tracing, and lists become arrays beside the arguments.
    const device = deviceOf(leaves).name;
    let key = `${device} ${defaultFloat()} ${tree.key}`;
    for (const i of statics) key += `|${i}=${staticKey(args[i], shown)}`;
    for (const x of leaves) key += ` ${formatAval(x.aval)}`;
    const known = cache.find(key);
    if (known?.value.captured.every(isAlive)) {
      recent.add(known);
      return { leaves, entry: known.value };
    }
    let outTree!: TreeDef;
    const types = leaves.map((x) => x.aval);
    const float = defaultFloat();
    const start = performance.now();
    const staged = withDevice(device, () => stage((...xs) => {
      const inside = unflatten<unknown[]>(tree, xs).map((a, i) => (statics.has(i) ? args[i] : a));
      const [outs, def] = flattenResult(f(...(inside as unknown as A)), shown);
      outTree = def;
      return outs;
    }, types, `jit(${name})`));
    const entry: Entry = { ...staged, traceMilliseconds: performance.now() - start, device, tree, outTree, types, float, donated: donatedLeaves(args, staged.captured.length), compiled: new Map() };
    recent.add(cache.set(key, entry));
    return { leaves, entry };
  };

  const compiledFor = (entry: Entry, arrays: readonly ConcreteArray[]): Compiled => {
    const backend = commonBackend(arrays, shown);
    let compiled = entry.compiled.get(backend);
    if (!compiled) {
      compiles++;
      compiled = compileProgram(entry.program, backend, entry.donated);
      entry.compiled.set(backend, compiled);
    }
    return compiled;
  };

  /** Positions of donated arrays among the compiled function's inputs. */
  const donatedLeaves = (args: readonly unknown[], captured: number): number[] => {
    if (donatedArgs.length === 0) return [];
    const statics = positions(staticArgs, args.length);
    const donates = positions(donatedArgs, args.length);
    const out: number[] = [];
    let next = captured;
    args.forEach((a, i) => {
      const count = statics.has(i) ? 0 : flatten(a)[1].leafCount;
      if (donates.has(i)) for (let k = 0; k < count; k++) out.push(next + k);
      next += count;
    });
    return out;
  };

  const jitted = ((...args: A): R => {
    const { leaves, entry } = prepare(args);
    const inputs = entry.captured.length === 0 ? leaves : [...entry.captured, ...leaves];
    let outputs: NDArray[];
    if (currentTrace() === eagerTrace) {
      const arrays = requireConcrete(inputs, shown);
      const { donated } = entry;
      requireDonatable(arrays, donated, shown);
      outputs = runCompiled(compiledFor(entry, arrays), arrays, donated.length ? donated : undefined);
    } else outputs = bind(call, inputs, { program: entry.program, name });
    return entry.outTree.node === null ? (outputs[0] as R) : unflatten<R>(entry.outTree, outputs);
  }) as Jitted<A, R>;

  Object.defineProperties(jitted, {
    name: { value: `jit(${name})` },
    cacheSize: { get: () => cache.size },
  });
  jitted.stats = () => ({ size: cache.size, hits: cache.hits, misses: cache.misses, compiles });
  jitted.clearCache = () => cache.clear();
  jitted.lower = (...args: A) => {
    const { leaves, entry } = prepare(args);
    return { program: entry.program, traceMilliseconds: entry.traceMilliseconds, compile: () => compiledFor(entry, requireConcrete([...entry.captured, ...leaves], shown)) };
  };
  return jitted;
}

const isArray = (x: unknown): boolean => x instanceof NDArray;

/** The device of the first argument that is not a number. */
function deviceOf(leaves: readonly NDArray[]): Backend {
  for (const x of leaves) if (x instanceof ConcreteArray && !(x.weak && x.hostData)) return x.backend;
  return defaultBackend();
}

/** A traced value that the function closed over is gone when the transform around it has ended: the function must be traced anew. */
const isAlive = (x: NDArray): boolean => !(x instanceof Tracer) || x.trace.alive;

/** Before anything is given away: a donated array may not be needed twice. */
function requireDonatable(arrays: readonly ConcreteArray[], donated: readonly number[], fn: string): void {
  for (const i of donated) {
    const other = arrays.findIndex((x, j) => j !== i && x === arrays[i]);
    if (other >= 0)
      throw new ArgumentError({ fn, arg: "donateArgnums", expected: "donated arrays that the call uses once", got: `a ${formatAval(arrays[i]!.aval)} array that is an input twice (or that the function closes over)`, fix: "pass a copy (np.copy), or do not donate it" });
  }
}

/**
 * Traces a function into a Program for arguments of these types, without running or compiling it. Arrays that it closes over are the
 * Program's constants; traced values among them (inside another transform) are its first inputs.
 * @example print(makeProgram((x: NDArray) => np.sin(x).mul(2))(np.ones([3])))
 */
export function makeProgram<A extends readonly unknown[]>(f: (...args: A) => unknown): (...args: A) => Program {
  requireFunction(f, "makeProgram", "f", "(...args) => result");
  return (...args) => {
    const [leaves, tree] = flattenArgs(args, "makeProgram");
    const { program, captured } = stage((...xs) => flattenResult(f(...(unflatten(tree, xs) as A)), "makeProgram")[0], leaves.map((x) => x.aval), "makeProgram");
    if (!captured.every((x) => x instanceof ConcreteArray)) return program;
    const constants = captured.map((value, i) => ({ variable: program.inputs[i]!, value }));
    return new Program(program.inputs.slice(captured.length), constants, program.equations, program.outputs);
  };
}
