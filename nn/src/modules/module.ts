import { ArgumentError, type DType, type NDArray, np, type Shape, type ShapeDtype } from "@hessia/core";
import type { Initializer } from "../functions/initializers.js";
import { applyModule, type ApplyOptions, initModule, type InitOptions, type MutableOption, type Rngs } from "./init-apply.js";
import { enter, frameOf, moduleBrand, noteModule, type Scoped, variableValue } from "./run.js";
import type { Variables } from "./variables.js";

export interface ModuleOptions {
  /** Name in the parent; by default the name of the property that holds the module, or its class name and a number. */
  readonly name?: string | undefined;
}

/** A variable of a collection that may change: read and assign `value`. */
export interface Variable<T = NDArray> { value: T }

/** `[...inputs, options]`, also where trailing inputs are left out. */
type WithOptions<P extends readonly unknown[], O> = number extends P["length"] ? [...P, O] : P extends readonly [] ? [O] : P extends readonly [infer H, ...infer R] ? [H, ...WithOptions<R, O>] : P extends readonly [(infer H)?, ...infer R] ? [O] | [H | undefined, ...WithOptions<R, O>] : never;

/** Inputs in which arrays may be given as their types. */
type OrTypes<T> = T extends NDArray ? T | ShapeDtype : T extends (...args: never) => unknown ? T : T extends object ? { [K in keyof T]: OrTypes<T[K]> } : T;
type InputTypes<P extends readonly unknown[]> = { [K in keyof P]: OrTypes<P[K]> };

const wrapped = new WeakSet<object>();

/** Puts every method of a class into its module's scope, once a class: so a method may be written, inherited and called as any other. */
function wrapMethods(prototype: object): void {
  for (let p = prototype; p !== Module.prototype && p !== null; p = Object.getPrototypeOf(p) as object) {
    if (wrapped.has(p)) continue;
    wrapped.add(p);
    for (const key of Object.getOwnPropertyNames(p)) {
      const property = Object.getOwnPropertyDescriptor(p, key)!;
      const method: unknown = property.value;
      if (key === "constructor" || typeof method !== "function") continue;
      Object.defineProperty(p, key, {
        ...property,
        value(this: Module, ...inputs: unknown[]): unknown {
          return enter(this, key, inputs, () => Reflect.apply(method, this, inputs) as unknown);
        },
      });
    }
  }
}

/**
 * Base of all layers and networks. A module holds settings, never arrays: `init` makes its variables, `apply` computes with them, and
 * both are pure functions that go through every transform. Inside its methods `this.param`, `this.variable` and `this.makeRng` reach the
 * variables of the run. Submodules are made in the constructor or where they are called; one instance called twice shares its parameters.
 *
 * Names follow Flax: a submodule held by a property is called after it (`fc`, `layers_0`), one made inside a method after its class and
 * a running number (`Dense_0`, `Dense_1`, in the order in which they are made). Give classes `static typeName = "..."` if your code will be minified.
 *
 * @example
 * class Net extends nn.Module {
 *   constructor(readonly width: number) { super(); }
 *   override call(x: NDArray): NDArray {
 *     const h = nn.relu(new nn.Dense(this.width).call(x));
 *     const gain = this.param("gain", nn.initializers.ones, [this.width]);
 *     return new nn.Dense(1).call(h.mul(gain));
 *   }
 * }
 * const net = new Net(8);
 * const variables = net.init(random.key(0), np.ones([2, 3]));
 * const y = net.apply(variables, np.ones([2, 3]));
 */
export class Module implements Scoped {
  readonly name: string | undefined;
  constructor(options: ModuleOptions = {}) {
    this.name = options.name;
    if (this.name !== undefined && (typeof this.name !== "string" || this.name === "" || /[/.]/.test(this.name)))
      throw new ArgumentError({ fn: new.target.name, arg: "name", expected: 'a non-empty name without "/" and "."', got: JSON.stringify(options.name) ?? "undefined", fix: "nested names come from nested modules" });
    wrapMethods(new.target.prototype as object);
    noteModule(this);
  }
  /** @internal */
  get [moduleBrand](): true { return true; }

  /**
   * What the module computes; subclasses override it.
   * @throws ArgumentError when a subclass has none.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- subclasses have inputs and results of their own
  call(..._inputs: any[]): any {
    throw new ArgumentError({ fn: `${this.constructor.name}.call`, expected: "a method call(x) in the class", got: "a class without it", fix: "define call, or name another method: net.apply(variables, x, { method: 'encode' })" });
  }

  /**
   * Makes the module's variables by running it once: `{ params, batchStats?, ... }`. Inputs given as `ShapeDtype` are run for their
   * shapes only, without arithmetic. `rngs` is one key or one key for each stream (`params`, `dropout`, ...).
   * The keys of parameters are derived from their paths as Flax does, so the draws agree with Flax's bit for bit.
   * @throws ArgumentError without a key, or for a name used twice in one module.
   * @example const variables = net.init(random.key(0), new ShapeDtype([1, 28, 28, 1], "float32"));
   */
  init(rngs: Rngs, ...inputs: WithOptions<InputTypes<Parameters<this["call"]>>, InitOptions> | InputTypes<Parameters<this["call"]>>): Variables;
  init(rngs: Rngs, ...inputs: unknown[]): Variables {
    return initModule(this, rngs, inputs);
  }

  /**
   * Computes the module with given variables. Returns the result of `call`; with `mutable`, a pair of it and the mutable collections
   * as they are afterwards. The last argument counts as options when it is an object with keys `rngs`, `mutable`, `method`, `strict` only.
   * @throws TreeError for parameters missing or never read (`strict: false` allows the latter); ShapeError for a parameter of another
   * shape; each names the path. ArgumentError for assigning to a variable whose collection is not mutable.
   * @example const [y, { batchStats }] = net.apply(variables, x, { mutable: ["batchStats"], rngs: { dropout: key } });
   */
  apply(variables: Variables, ...inputs: WithOptions<Parameters<this["call"]>, ApplyOptions & { readonly mutable: Exclude<MutableOption, false> }>): [ReturnType<this["call"]>, Variables];
  apply(variables: Variables, ...inputs: WithOptions<Parameters<this["call"]>, ApplyOptions & { readonly mutable?: false; readonly method?: undefined }> | Parameters<this["call"]>): ReturnType<this["call"]>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- another method than call: its types are not known here
  apply(variables: Variables, ...inputs: [...unknown[], ApplyOptions & { readonly method: NonNullable<ApplyOptions["method"]> }]): any;
  apply(variables: Variables, ...inputs: unknown[]): unknown {
    return applyModule(this, variables, inputs);
  }

  /**
   * A parameter of this module: read in `apply`, drawn by `init(key, shape, dtype)` in `init`.
   * @throws TreeError when it is missing; ShapeError when it has another shape; ArgumentError for a name used twice in one call.
   * @example const kernel = this.param("kernel", nn.initializers.lecunNormal(), [x.shape.at(-1)!, 10]);
   */
  protected param(name: string, init: Initializer, shape: Shape, dtype?: DType): NDArray;
  /** A parameter that is a pytree: `init(key)` makes it. */
  protected param<T>(name: string, init: (key: NDArray) => T): T;
  protected param(name: string, init: Initializer | ((key: NDArray) => unknown), shape?: Shape, dtype: DType = "float32"): unknown {
    const fn = `${this.constructor.name}.param`;
    const frame = frameOf(this, fn);
    frame.reserve(name, `parameter "${name}"`, fn, true);
    const make = (key: NDArray | undefined): unknown => (shape ? (init as Initializer)(key!, shape, dtype) : (init as (key: NDArray) => unknown)(key!));
    const abstract = (): unknown => (shape ? np.zeros(shape, { dtype }) : make(np.zeros([2], { dtype: "uint32" })));
    return variableValue(frame, "params", name, shape, { needsKey: true, make, abstract }, fn);
  }

  /**
   * A variable of another collection, such as running statistics; `init(...args)` makes it. Assigning `value` needs a mutable collection.
   * @example const mean = this.variable("batchStats", "mean", () => np.zeros([n], { dtype: "float32" })); mean.value = next;
   */
  protected variable<T, A extends readonly unknown[]>(collection: string, name: string, init: (...args: A) => T, ...args: A): Variable<T> {
    const fn = `${this.constructor.name}.variable`;
    const frame = frameOf(this, fn);
    frame.reserve(name, `variable "${name}" of ${collection}`, fn, true);
    const make = (): T => init(...args);
    variableValue(frame, collection, name, undefined, { needsKey: false, make, abstract: make }, fn);
    const { run, scope } = frame;
    return {
      get value(): T { return run.read(collection, scope.path, name) as T; },
      set value(next: T) {
        if (!run.options.isMutable(collection))
          throw new ArgumentError({ fn, arg: run.describe(collection, scope.path, name), expected: `a mutable collection "${collection}"`, got: "an assignment while it is not", fix: `call apply with { mutable: ["${collection}"] } and keep the variables it returns` });
        run.write(collection, scope.path, name, next);
      },
    };
  }

  /** True when a variable was passed or made already. */
  protected hasVariable(collection: string, name: string): boolean {
    const { run, scope } = frameOf(this, `${this.constructor.name}.hasVariable`);
    return run.read(collection, scope.path, name) !== undefined;
  }
  /** A key of a stream of random numbers, another at each call. @throws ArgumentError when no key was passed for the stream nor for "params". */
  protected makeRng(stream = "params"): NDArray {
    const fn = `${this.constructor.name}.makeRng`;
    const { run, scope } = frameOf(this, fn);
    return run.nextKey(scope, stream, fn)();
  }
  /** True in `init`. */
  protected isInitializing(): boolean { return frameOf(this, `${this.constructor.name}.isInitializing`).run.options.isInitializing; }
  /** True when a collection may be written to. */
  protected isMutable(collection: string): boolean { return frameOf(this, `${this.constructor.name}.isMutable`).run.options.isMutable(collection); }
  /** Where the module stands: `["Block_0", "Dense_1"]`. */
  protected get path(): readonly string[] { return frameOf(this, `${this.constructor.name}.path`).scope.path; }
}
