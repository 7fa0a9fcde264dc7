import type { ConcreteArray } from "../array/concrete.js";
import { NDArray } from "../array/ndarray.js";
import { ArgumentError } from "../base/errors.js";
import { flatten, type TreeDef, unflatten } from "../base/tree.js";
import { type Compiled, compileProgram } from "../execute/compile.js";
import { LruCache } from "../execute/lru.js";
import { type Aval, formatAval } from "../ir/aval.js";
import { functionId } from "../ir/params-key.js";
import type { Program } from "../ir/program.js";
import { call } from "../primitives/call.js";
import { commonBackend, eagerTrace, requireConcrete, runCompiled } from "../trace/eager.js";
import { stage } from "../trace/stage.js";
import { bind, currentTrace } from "../trace/trace.js";
import { flattenArgs, flattenResult } from "./function-args.js";

export interface JitOptions {
  /** Positions of arguments that are not arrays but settings: a new value means a new compilation. */
  readonly staticArgnums?: number | readonly number[];
  /** Positions of arguments whose memory the call may reuse; they cannot be used afterwards. */
  readonly donateArgnums?: number | readonly number[];
  /** For error texts and printed Programs. */
  readonly name?: string;
}

interface Entry {
  readonly program: Program;
  readonly captured: readonly NDArray[];
  readonly outTree: TreeDef;
  readonly types: readonly Aval[];
  readonly compiled: Map<string, Compiled>;
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
  compile(device?: string): Compiled;
}

const asList = (x: number | readonly number[] | undefined): readonly number[] => (x === undefined ? [] : typeof x === "number" ? [x] : x);

function staticKey(value: unknown): string {
  if (value === null || typeof value !== "object") return typeof value === "function" ? `fn${functionId(value)}` : `${typeof value}:${Object.is(value, -0) ? "-0" : String(value)}`;
  if (value instanceof NDArray)
    throw new ArgumentError({ fn: "jit", arg: "staticArgnums", expected: "plain values (numbers, strings, functions, small objects)", got: `an array ${formatAval(value.aval)}`, fix: "pass arrays as ordinary arguments" });
  const json = JSON.stringify(value);
  return json === undefined ? `obj${functionId(value)}` : json;
}

/**
 * Compiles a function: the first call with new types traces it into a Program and compiles that; later ones run the compiled code.
 * The function must be pure. Arguments and results are pytrees of arrays; numbers are traced, not baked in.
 * @throws ConcretizationError where the function branches on a traced value; ArgumentError for leaves that are no arrays.
 * @example const f = jit((x: NDArray) => np.tanh(x).sum()); f(np.ones([3]));
 */
export function jit<A extends readonly unknown[], R>(f: (...args: A) => R, options: JitOptions = {}): Jitted<A, R> {
  const statics = new Set(asList(options.staticArgnums));
  const donatedArgs = asList(options.donateArgnums);
  const name = options.name ?? (f.name || "jit");
  const cache = new LruCache<string, Entry>(256, (e) => e.compiled.forEach((c) => c.executable.dispose()));
  let compiles = 0;

  const prepare = (args: readonly unknown[]) => {
    const dynamic = args.map((a, i) => (statics.has(i) ? undefined : a));
    const [leaves, tree] = flattenArgs(dynamic, name);
    let key = tree.key;
    for (const i of statics) key += `|${i}=${staticKey(args[i])}`;
    for (const x of leaves) key += ` ${formatAval(x.aval)}`;
    let entry = cache.get(key);
    if (!entry) {
      let outTree!: TreeDef;
      const types = leaves.map((x) => x.aval);
      const staged = stage((...xs) => {
        const again = unflatten<unknown[]>(tree, xs).map((a, i) => (statics.has(i) ? args[i] : a));
        const [outs, def] = flattenResult(f(...(again as unknown as A)), name);
        outTree = def;
        return outs;
      }, types, `jit(${name})`);
      entry = { ...staged, outTree, types, compiled: new Map() };
      cache.set(key, entry);
    }
    return { leaves, entry, tree };
  };

  const compiledFor = (entry: Entry, arrays: readonly ConcreteArray[], donated: readonly number[]): Compiled => {
    const backend = commonBackend(arrays, name);
    let compiled = entry.compiled.get(backend.name);
    if (!compiled) {
      compiles++;
      compiled = compileProgram(entry.program, backend, donated);
      entry.compiled.set(backend.name, compiled);
    }
    return compiled;
  };

  const donatedLeaves = (args: readonly unknown[], captured: number): number[] => {
    if (donatedArgs.length === 0) return [];
    const out: number[] = [];
    let next = captured;
    args.forEach((a, i) => {
      const count = statics.has(i) ? 0 : flatten(a)[1].leafCount;
      if (donatedArgs.includes(i)) for (let k = 0; k < count; k++) out.push(next + k);
      next += count;
    });
    return out;
  };

  const jitted = ((...args: A): R => {
    const { leaves, entry } = prepare(args);
    const inputs = [...entry.captured, ...leaves];
    let outputs: NDArray[];
    if (currentTrace() === eagerTrace) {
      const arrays = requireConcrete(inputs, name);
      const donated = donatedLeaves(args, entry.captured.length);
      outputs = runCompiled(compiledFor(entry, arrays, donated), arrays, donated.length ? donated : undefined);
    } else outputs = bind(call, inputs, { program: entry.program, name });
    return unflatten<R>(entry.outTree, outputs);
  }) as Jitted<A, R>;

  Object.defineProperties(jitted, {
    name: { value: `jit(${name})` },
    cacheSize: { get: () => cache.size },
  });
  jitted.stats = () => ({ size: cache.size, hits: cache.hits, misses: cache.misses, compiles });
  jitted.clearCache = () => cache.clear();
  jitted.lower = (...args: A) => {
    const { leaves, entry } = prepare(args);
    return { program: entry.program, compile: () => compiledFor(entry, requireConcrete([...entry.captured, ...leaves], name), []) };
  };
  return jitted;
}

/**
 * Traces a function into a Program for arguments of these types, without running or compiling it.
 * @example print(makeProgram((x: NDArray) => np.sin(x).mul(2))(np.ones([3])))
 */
export function makeProgram<A extends readonly unknown[]>(f: (...args: A) => unknown): (...args: A) => Program {
  return (...args) => {
    const [leaves, tree] = flattenArgs(args, f.name || "makeProgram");
    return stage((...xs) => flattenResult(f(...(unflatten(tree, xs) as A)), f.name || "makeProgram")[0], leaves.map((x) => x.aval), "makeProgram").program;
  };
}
