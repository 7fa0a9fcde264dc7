import { ConcretizationError, LeakedTracerError } from "../base/errors.js";
import type { TypedArray } from "../base/dtype.js";
import { NDArray } from "../array/ndarray.js";
import { type Aval, formatAval } from "../ir/aval.js";
import type { AnyPrimitive, Params } from "../ir/primitive.js";
import { callSite, captureStack } from "./call-site.js";

/**
 * An interpretation of primitives. Exactly one is current; each transform makes its own over the one current before it (its parent)
 * and, inside its rules, makes the parent current again. So a value that a trace does not know is a constant to it.
 */
export abstract class Trace {
  /** False once the transform that made it has returned: its tracers are dead from then on. */
  alive = true;
  abstract readonly name: string;
  abstract process(primitive: AnyPrimitive, inputs: readonly NDArray[], params: Params): NDArray[];
}

/** Stands for an array while a trace runs. */
export abstract class Tracer extends NDArray {
  readonly #stack: Error | undefined;
  constructor(readonly trace: Trace, readonly aval: Aval, keepSite = false) {
    super();
    this.#stack = !keepSite ? undefined : operation ? (operation.stack ??= captureStack()) : captureStack();
  }
  /** Where the user's code made this value, for error texts. */
  get site(): string | undefined { return this.#stack && callSite(this.#stack); }
  /** The concrete array behind the tracer, if the trace knows one: under eager `grad` it does, under `jit` it does not. */
  abstract concrete(): NDArray | undefined;

  #known(fn: string): NDArray {
    this.requireAlive(fn);
    const value = this.concrete();
    if (value) return value;
    throw new ConcretizationError({
      fn,
      expected: "a concrete value",
      got: `a traced ${formatAval(this.aval)} under ${this.trace.name}${this.site ? `, made at ${this.site}` : ""}`,
      fix: "branch on it with np.where or cond, loop with whileLoop or scan, or make the argument static (staticArgnums)",
    });
  }
  requireAlive(fn: string, arg?: string): void {
    if (this.trace.alive) return;
    throw new LeakedTracerError({
      fn, arg,
      expected: "a value of the running computation",
      got: `a traced ${formatAval(this.aval)} that outlived its ${this.trace.name}${this.site ? `, made at ${this.site}` : ""}`,
      fix: "return values from the transformed function instead of storing them outside it",
    });
  }

  get device(): string { return this.concrete()?.device ?? "traced"; }
  get data(): TypedArray { return this.#known("data").data; }
  async read(): Promise<TypedArray> { return this.#known("read").read(); }
  toArray(): unknown { return this.#known("toArray").toArray(); }
  item(): number | boolean { return this.#known("item").item(); }
  dispose(): void { /* tracers own nothing */ }
  [Symbol.toPrimitive](hint: string): string | number {
    if (hint === "string") return this.toString();
    return Number(this.#known("JavaScript operator").item());
  }
  override toString(): string { return `Traced<${formatAval(this.aval)}> under ${this.trace.name}`; }
  toJSON(): unknown { return this.#known("JSON.stringify").toArray(); }
  [Symbol.for("nodejs.util.inspect.custom")](): string { return this.toString(); }
}

let current: Trace;
/** The operation whose rule runs, outermost. */
let operation: { stack: Error | undefined } | undefined;

export const currentTrace = (): Trace => current;
/** @internal The trace at the bottom; set once by `trace/eager.ts`. */
export function setBaseTrace(trace: Trace): void { current = trace; }

/** Runs `f` with `trace` current and puts the old one back, also when `f` throws. */
export function withTrace<T>(trace: Trace, f: () => T): T {
  const before = current;
  current = trace;
  try {
    return f();
  } finally {
    current = before;
  }
}

/**
 * Runs the rule of an operation that a trace processes, with `trace` current. Whatever it records was made where the operation was called: one
 * stack serves for all of it, and stacks cost more than most of what else is done for an equation.
 */
export function runRule<T>(trace: Trace, rule: () => T): T {
  const outer = operation;
  operation ??= { stack: undefined };
  try {
    return withTrace(trace, rule);
  } finally {
    operation = outer;
  }
}

/** Runs `f` under a new trace that dies afterwards. */
export function runTrace<T>(trace: Trace, f: () => T): T {
  try {
    return withTrace(trace, f);
  } finally {
    trace.alive = false;
  }
}

/** Applies a primitive: the one door through which every operation goes. */
export const bind = (primitive: AnyPrimitive, inputs: readonly NDArray[], params: Params): NDArray[] => current.process(primitive, inputs, params);
/** `bind` for primitives with one result. */
export const bind1 = (primitive: AnyPrimitive, inputs: readonly NDArray[], params: Params): NDArray => current.process(primitive, inputs, params)[0]!;
