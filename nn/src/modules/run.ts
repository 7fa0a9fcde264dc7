import { ArgumentError, NDArray, random, type Shape, ShapeError, tree as trees, TreeError } from "@hessia/core";
import { hashPath } from "./sha1.js";
import { isDict, type Layout, nestedLayout, slot, type Variables, type VariableTree } from "./variables.js";

/** What the scopes need to know of a module. */
export interface Scoped {
  readonly name?: string | undefined;
}
/** Marks module classes; the class itself stands above this file. */
export const moduleBrand: unique symbol = Symbol("hessia.nn.Module");
const isModule = (x: unknown): x is Scoped => typeof x === "object" && x !== null && moduleBrand in x;

/** The class name that automatic names build on: `static typeName`, which minifiers leave alone, or the class's own name. */
export function typeNameOf(module: object): string {
  const cls = module.constructor as { typeName?: unknown; name: string };
  return Object.hasOwn(cls, "typeName") && typeof cls.typeName === "string" ? cls.typeName : cls.name;
}

/** Names of modules: Flax's `Dense_0, Dense_1`, or Haiku's `linear, linear_1`. */
export interface Naming {
  automatic(typeName: string, count: number): string;
  /** Whether a given name that is taken gets a number instead of an error. */
  readonly numbersGiven: boolean;
}
export const flaxNaming: Naming = { automatic: (type, n) => `${type}_${n}`, numbersGiven: false };
const snake = (s: string): string => s.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2").toLowerCase();
export const haikuNaming: Naming = { automatic: (type, n) => (n === 0 ? snake(type) : `${snake(type)}_${n}`), numbersGiven: true };

/** A variable to be made after the shapes are known. */
export interface Deferred {
  readonly collection: string;
  readonly path: readonly string[];
  readonly name: string;
  /** Stands for the value: the same shapes and dtypes. */
  readonly stand: unknown;
  readonly make: () => unknown;
}
export interface CallRecord { readonly path: readonly string[]; readonly type: string; readonly inputs: readonly unknown[]; readonly output: unknown }

export interface RunOptions {
  readonly fn: string;
  readonly variables?: Variables;
  readonly rngs?: Readonly<Record<string, NDArray>>;
  readonly isMutable: (collection: string) => boolean;
  readonly isInitializing: boolean;
  readonly layout?: Layout;
  readonly naming?: Naming;
  /** Draws keys from one sequence by splitting (Haiku) instead of by path (Flax). */
  readonly sequence?: NDArray | null;
  /** Collects initializers instead of calling them: the run is about shapes. */
  readonly deferred?: Deferred[];
  readonly onCall?: (record: CallRecord) => void;
}

/** The place of one module in the tree: its path, and how many keys it drew from each stream. */
class Scope {
  readonly counts = new Map<string, number>();
  readonly children = new Map<string, Scope>();
  constructor(readonly path: readonly string[]) {}
  child(name: string): Scope {
    const found = this.children.get(name) ?? new Scope([...this.path, name]);
    this.children.set(name, found);
    return found;
  }
}

/** One execution of `init` or `apply`: variables, streams of random keys, and which module stands where. */
export class Run {
  variables: Record<string, VariableTree>;
  readonly root = new Scope([]);
  readonly scopes = new Map<Scoped, Scope>();
  readonly used = new Map<string, Set<string>>();
  readonly layout: Layout;
  readonly naming: Naming;
  #sequence: NDArray | null;

  constructor(readonly options: RunOptions) {
    this.variables = { ...options.variables };
    this.layout = options.layout ?? nestedLayout;
    this.naming = options.naming ?? flaxNaming;
    this.#sequence = options.sequence ?? null;
  }

  read(collection: string, path: readonly string[], name: string): unknown {
    const tree = this.variables[collection];
    const value = tree === undefined ? undefined : this.layout.read(tree, path, name);
    if (value !== undefined) {
      const used = this.used.get(collection) ?? new Set();
      this.used.set(collection, used.add(slot(path, name)));
    }
    return value;
  }
  write(collection: string, path: readonly string[], name: string, value: unknown): void {
    this.variables = { ...this.variables, [collection]: this.layout.write(this.variables[collection] ?? {}, path, name, value) };
  }
  describe(collection: string, path: readonly string[], name: string): string {
    return this.layout.describe(collection, path, name);
  }

  /** The next key of a stream, as a recipe that can be carried out later. */
  nextKey(scope: Scope, stream: string, fn: string): () => NDArray {
    if (this.options.sequence !== undefined) return this.#nextOfSequence(fn);
    const rngs = this.options.rngs ?? {};
    const name = Object.hasOwn(rngs, stream) ? stream : "params";
    const base = rngs[name];
    if (!base) throw new ArgumentError({ fn, arg: "rngs", expected: `a key for the stream "${stream}"`, got: Object.keys(rngs).length ? `keys for ${Object.keys(rngs).join(", ")}` : "no keys", fix: `pass { rngs: { ${stream}: random.key(0) } } to apply, or turn the randomness off (deterministic: true)` });
    const count = (scope.counts.get(name) ?? 0) + 1;
    scope.counts.set(name, count);
    return () => random.foldIn(base, hashPath([...scope.path, count]));
  }
  /** Whether keys can be drawn at all. */
  get hasKey(): boolean { return this.options.sequence === undefined ? Object.keys(this.options.rngs ?? {}).length > 0 : this.#sequence !== null; }
  #nextOfSequence(fn: string): () => NDArray {
    if (!this.#sequence) throw new ArgumentError({ fn, arg: "key", expected: "a key for this function's random draws", got: "null", fix: "pass random.key(0) to apply" });
    const pair = random.split(this.#sequence);
    this.#sequence = pair.get(0);
    const key = pair.get(1);
    return () => key;
  }

  /** What a mutable collection holds at the end. */
  mutated(): Variables {
    return Object.fromEntries(Object.entries(this.variables).filter(([collection]) => this.options.isMutable(collection)));
  }
  /** @throws TreeError naming parameters that were given and never asked for. */
  requireAllUsed(collection: string): void {
    const extra = this.layout.unused(collection, this.variables[collection] ?? {}, this.used.get(collection) ?? new Set());
    if (extra.length > 0)
      throw new TreeError({ fn: this.options.fn, arg: "variables", expected: "only parameters that the module asks for", got: `${extra.slice(0, 5).join(", ")}${extra.length > 5 ? ` and ${extra.length - 5} more` : ""}, which it never read`, fix: "remove them, or pass { strict: false } when this call leaves some parameters out on purpose" });
  }
}

/** The submodules that a module holds in its properties, with the names that they take from them. */
function* partsOf(module: object): Generator<[string, Scoped]> {
  for (const [key, value] of Object.entries(module)) {
    if (isModule(value)) yield [key, value];
    else if (Array.isArray(value) || isDict(value)) for (const [k, v] of Object.entries(value)) if (isModule(v)) yield [`${key}_${k}`, v];
  }
}
function propertyOf(holder: object, part: Scoped): string | undefined {
  for (const [property, held] of partsOf(holder)) if (held === part) return property;
  return undefined;
}

/** A method of a module at work. Names are counted anew at each, so that a second call shares the parameters of the first. */
class Frame {
  readonly #taken = new Map<string, unknown>();
  readonly #counts = new Map<string, number>();
  readonly #made: Scoped[] = [];
  constructor(readonly run: Run, readonly scope: Scope, readonly module: Scoped | null) {}

  /** Keeps a name for one parameter, variable or submodule; `once` refuses also the same holder. */
  reserve(name: string, holder: unknown, fn: string, once = false): void {
    const before = this.#taken.get(name);
    if (before !== undefined && (once || before !== holder))
      throw new ArgumentError({ fn, arg: "name", expected: "a name not used before in this module", got: `"${name}", which is ${isModule(before) ? "a submodule" : String(before)} of ${this.scope.path.join("/") || "the top level"} already`, fix: "give them different names; to share parameters call the same module twice" });
    this.#taken.set(name, holder);
  }
  isTaken(name: string): boolean { return this.#taken.has(name); }

  /** Remembers a module made while this frame runs: names are given in the order in which modules are made. */
  note(module: Scoped): void { this.#made.push(module); }

  /** The scope of a module called from here, found or made. */
  scopeOf(module: Scoped): Scope {
    const found = this.run.scopes.get(module);
    if (found) return found;
    // Those made in the constructor of another belong to it; all others are named now, called or not.
    const made = this.#made.splice(0).filter((m) => !this.run.scopes.has(m));
    for (const m of made) if (!made.some((other) => other !== m && propertyOf(other, m) !== undefined)) this.#place(m, this.module ? propertyOf(this.module, m) : undefined);
    return this.run.scopes.get(module) ?? this.#place(module);
  }
  #place(module: Scoped, property?: string): Scope {
    const name = this.#nameOf(module, property);
    this.reserve(name, module, typeNameOf(module));
    const scope = this.scope.child(name);
    this.run.scopes.set(module, scope);
    return scope;
  }
  #nameOf(module: Scoped, property: string | undefined): string {
    const { naming } = this.run;
    const given = module.name ?? (naming.numbersGiven ? undefined : property);
    if (given !== undefined && !(naming.numbersGiven && this.isTaken(given))) return given;
    const type = given ?? typeNameOf(module);
    for (;;) {
      const count = this.#counts.get(type) ?? 0;
      this.#counts.set(type, count + 1);
      const name = naming.automatic(type, count);
      if (!this.isTaken(name)) return name;
    }
  }

  /** Submodules made in the constructor take the names of the properties that hold them: `this.fc`, `this.layers[0]` -> `layers_0`. */
  adopt(module: object): void {
    for (const [property, part] of partsOf(module)) this.#adoptOne(part, property);
  }
  #adoptOne(module: Scoped, property: string): void {
    const known = this.run.scopes.get(module);
    if (!known) this.#place(module, property);
    else if (known === this.scope.children.get(known.path.at(-1)!)) this.reserve(known.path.at(-1)!, module, typeNameOf(module));
  }
}

const stack: Frame[] = [];

/** The frame of the module or transformed function at work. @throws ArgumentError outside of all. */
export function currentFrame(fn: string): Frame {
  const top = stack.at(-1);
  if (!top) throw new ArgumentError({ fn, expected: "to be called while a module or a transformed function runs", got: "a call outside of init and apply", fix: "call net.init(key, x) and net.apply(variables, x), or wrap the function with transform(...)" });
  return top;
}
/** The frame of this module: the innermost one, also when the call comes from a part that got a function of it. */
export function frameOf(module: Scoped, fn: string): Frame {
  const top = currentFrame(fn);
  const frame = stack.findLast((f) => f.module === module && f.run === top.run);
  if (frame) return frame;
  throw new ArgumentError({ fn, arg: "this", expected: "to be called within a method of this module", got: "a call while another module is at work", fix: "write call(x) {...} as a method: functions in class fields (call = (x) => ...) cannot be put into their module's scope" });
}
/** True while init or apply runs. */
export const isRunning = (): boolean => stack.length > 0;
/** Tells the frame at work, if any, that a module was made. */
export const noteModule = (module: Scoped): void => stack.at(-1)?.note(module);

function within<T>(frame: Frame, f: () => T): T {
  stack.push(frame);
  try {
    return f();
  } finally {
    stack.pop();
  }
}

/** Runs a function as the top level of a run, with a module as its root or none. */
export function runTop<T>(run: Run, module: Scoped | null, f: () => T): T {
  if (module) run.scopes.set(module, run.root);
  const frame = new Frame(run, run.root, module);
  return within(frame, () => {
    if (module) frame.adopt(module);
    return f();
  });
}

/** Runs a method of a module in the module's scope. */
export function enter<T>(module: Scoped, method: string, inputs: readonly unknown[], f: () => T): T {
  const top = stack.at(-1);
  if (!top) return f();
  if (top.module === module) return method === "call" ? recorded(top, module, inputs, f) : f();
  const frame = new Frame(top.run, top.scopeOf(module), module);
  return within(frame, () => {
    frame.adopt(module);
    return method === "call" ? recorded(frame, module, inputs, f) : f();
  });
}
function recorded<T>(frame: Frame, module: Scoped, inputs: readonly unknown[], f: () => T): T {
  const output = f();
  frame.run.options.onCall?.({ path: frame.scope.path, type: typeNameOf(module), inputs, output });
  return output;
}

export interface Maker {
  /** Whether making it takes a key from the stream of parameters. */
  readonly needsKey: boolean;
  make(key: NDArray | undefined): unknown;
  /** A stand-in of the same type while only shapes matter. */
  abstract(): unknown;
}

/** Reads a variable, or makes it where its collection is mutable. @throws TreeError when it is missing; ShapeError when it has another shape. */
export function variableValue(frame: Frame, collection: string, name: string, shape: Shape | undefined, maker: Maker, fn: string): unknown {
  const { run, scope } = frame;
  const where = run.describe(collection, scope.path, name);
  const found = run.read(collection, scope.path, name);
  if (found !== undefined) {
    if (shape) requireShapeOf(found, shape, where, fn, "in the variables that were passed");
    return found;
  }
  if (!run.options.isMutable(collection)) throw missing(run, collection, scope.path, name, where, fn);
  const key = maker.needsKey ? run.nextKey(scope, "params", fn) : undefined;
  const value = run.options.deferred ? maker.abstract() : maker.make(key?.());
  run.options.deferred?.push({ collection, path: scope.path, name, stand: value, make: () => maker.make(key?.()) });
  if (shape) requireShapeOf(value, shape, where, fn, "returned by its initializer");
  run.write(collection, scope.path, name, value);
  return run.read(collection, scope.path, name);
}

function requireShapeOf(value: unknown, shape: Shape, where: string, fn: string, whose: string): void {
  if (!(value instanceof NDArray)) throw new TreeError({ fn, arg: where, expected: `an array of shape [${shape.join(",")}]`, got: isDict(value) ? `an object with ${Object.keys(value).join(", ") || "nothing in it"}` : String(value), fix: "pass what init returned" });
  if (value.ndim !== shape.length || value.shape.some((n, d) => n !== shape[d]))
    throw new ShapeError({ fn, arg: where, expected: `shape [${shape.join(",")}]`, got: `[${value.shape.join(",")}] ${whose}`, fix: "use the variables of a module with the same settings and inputs of the same sizes" });
}
function missing(run: Run, collection: string, path: readonly string[], name: string, where: string, fn: string): TreeError {
  const tree = run.variables[collection];
  const have = tree === undefined ? `no collection "${collection}"` : `${collection} with ${trees.flattenWithPath(tree)[0].slice(0, 6).map(([p]) => p.join(".")).join(", ") || "nothing in it"}`;
  return new TreeError({ fn, arg: where, expected: `a variable "${name}" for ${path.join("/") || "the top module"}`, got: have, fix: collection === "params" ? "pass the variables that init returned for this module" : `pass the collection that init returned, or make it mutable: { mutable: ["${collection}"] }` });
}
