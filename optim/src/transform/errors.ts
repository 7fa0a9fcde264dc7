import { type ErrorParts, HessiaError } from "@hessia/core";

/** An optimizer needs an extra argument that it was not given. */
export class MissingExtraError extends HessiaError {
  readonly code = "missing-extra";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("missing-extra", parts, options); }
}
/** A line search ended without an acceptable step. */
export class LineSearchError extends HessiaError {
  readonly code = "line-search";
  constructor(parts: ErrorParts, options?: ErrorOptions) { super("line-search", parts, options); }
}
