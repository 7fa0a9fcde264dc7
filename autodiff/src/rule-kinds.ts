import type { NDArray } from "@hessia/core";
import { type AnyPrimitive, type Aval, type Params, ruleKind } from "@hessia/core/extend";
import type { Tangent } from "./zero.js";

export interface JvpResult {
  readonly primals: readonly NDArray[];
  readonly tangents: readonly Tangent[];
}

/**
 * Pushes tangents forward: outputs of the primitive and their tangents. At least one tangent is not `Zero`; tangents of integers and
 * bools always are. Runs with the outer trace current, so it is written with ordinary operations, which must be linear in the tangents.
 */
export type JvpRule<P = Params> = (primals: readonly NDArray[], tangents: readonly Tangent[], params: P) => JvpResult;

/** Stands for an input of a linear equation whose value is not known while cotangents are pulled back. */
export class LinearInput {
  constructor(readonly aval: Aval) {}
}
export const isLinear = (x: NDArray | LinearInput): x is LinearInput => x instanceof LinearInput;

/**
 * Pulls cotangents of the outputs back to the inputs that are `LinearInput`; what is returned for other inputs is ignored.
 * The primitive is linear in those inputs jointly. At least one cotangent is not `Zero`.
 */
export type TransposeRule<P = Params> = (cotangents: readonly Tangent[], inputs: readonly (NDArray | LinearInput)[], params: P) => readonly (Tangent | null)[];

/** What a partial evaluation rule may ask of the trace that records the linear part. */
export interface LinearRecorder {
  /** True for values that depend on the inputs of the linear function. */
  isLinear(x: NDArray): boolean;
  /** Appends an equation to the linear Program. Known inputs become residuals. */
  record(primitive: AnyPrimitive, inputs: readonly NDArray[], params: Params): NDArray[];
  /** Runs `f` with the recording trace current again, so that its operations are recorded one by one. */
  within<T>(f: () => T): T;
}

/** Splits an equation with known and linear inputs: the known part is computed at once, by ordinary operations, and the linear part recorded. Equations without a rule are recorded whole. */
export type PartialEvalRule<P = Params> = (recorder: LinearRecorder, inputs: readonly NDArray[], params: P) => NDArray[];

/* eslint-disable @typescript-eslint/no-explicit-any -- one slot for rules of every params type */
export const jvpRule = ruleKind<JvpRule<any>>("jvp");
export const transposeRule = ruleKind<TransposeRule<any>>("transpose");
export const partialEvalRule = ruleKind<PartialEvalRule<any>>("partialEval");
/* eslint-enable @typescript-eslint/no-explicit-any */
