/** What an error says: where it happened, what was expected, what came, and what to do about it. */
export interface ErrorParts {
  /** The public function, as the user wrote it: `matmul`, `random.normal`. */
  readonly fn: string;
  /** The argument at fault. */
  readonly arg?: string | undefined;
  readonly expected: string;
  readonly got: string;
  readonly fix?: string | undefined;
}

export const formatError = (code: string, p: ErrorParts): string =>
  `[hessia:${code}] ${p.fn}${p.arg === undefined ? "" : `(${p.arg})`}: expected ${p.expected}, got ${p.got}.${p.fix === undefined ? "" : ` Fix: ${p.fix}.`}`;

/** Base of every error that Hessia throws on purpose. `code` is stable across releases; the text is for people. */
export abstract class HessiaError extends Error {
  abstract readonly code: string;
  readonly parts: ErrorParts;
  constructor(code: string, parts: ErrorParts, options?: ErrorOptions) {
    super(formatError(code, parts), options);
    this.parts = parts;
    this.name = new.target.name;
  }
}

/** Shapes that do not fit together. */
export class ShapeError extends HessiaError {
  readonly code = "shape";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("shape", parts, options); }
}
/** A dtype where another is needed. */
export class DTypeError extends HessiaError {
  readonly code = "dtype";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("dtype", parts, options); }
}
/** An axis outside the array's dimensions, or named twice. */
export class AxisError extends HessiaError {
  readonly code = "axis";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("axis", parts, options); }
}
/** An index that selects nothing that exists, or that is no index. */
export class IndexError extends HessiaError {
  readonly code = "index";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("index", parts, options); }
}
/** Pytrees of different structure where equal ones are needed. */
export class TreeError extends HessiaError {
  readonly code = "tree";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("tree", parts, options); }
}
/** An argument of the wrong kind or out of range. */
export class ArgumentError extends HessiaError {
  readonly code = "argument";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("argument", parts, options); }
}
/**
 * A traced value used where JavaScript needs a concrete one: comparisons and arithmetic by operators (`x > 0`, `x + 1`), `item()`,
 * `toArray()`, `JSON.stringify`. The bare truth of a value (`if (x)`, `!x`, `x && y`) cannot be caught: to JavaScript every array is true.
 */
export class ConcretizationError extends HessiaError {
  readonly code = "concretization";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("concretization", parts, options); }
}
/** A traced value that outlived the transformation that made it. */
export class LeakedTracerError extends HessiaError {
  readonly code = "leak";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("leak", parts, options); }
}
/** A derivative that does not exist, or that has no rule. */
export class DerivativeError extends HessiaError {
  readonly code = "derivative";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("derivative", parts, options); }
}
/** Something a backend does not have or cannot do. */
export class BackendError extends HessiaError {
  readonly code = "backend";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("backend", parts, options); }
}
/** An array used after `dispose()` or after it was donated to a jitted call. */
export class DisposedError extends HessiaError {
  readonly code = "disposed";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("disposed", parts, options); }
}
/** A Program that breaks its own rules, or text that does not parse as one. */
export class ProgramError extends HessiaError {
  readonly code = "program";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("program", parts, options); }
}
/** A missing or doubly defined rule of a primitive. */
export class RuleError extends HessiaError {
  readonly code = "rule";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("rule", parts, options); }
}
/** A numerical failure in linear algebra: singular, not positive definite, no convergence. */
export class LinAlgError extends HessiaError {
  readonly code = "linalg";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("linalg", parts, options); }
}
