import type { DType } from "../../../base/dtype.js";
import { identity } from "../../../kernel/identity.js";
import type { Accumulate, ReduceOp } from "../../../kernel/schedule.js";
import { arithmetic, literal, scalarType } from "./expression.js";

/**
 * The running state of an accumulator: a value; for argmax and argmin a key and the position it came from. The key is the value mapped to u32 so
 * that greater is better, NaN best of all and both zeros equal: comparing it needs no care about NaN, in whatever order parts meet.
 */
export interface State {
  readonly name: string;
  readonly op: ReduceOp;
  /** Of the values folded. */
  readonly dtype: DType;
  readonly arg: boolean;
}

export function stateOf(a: Accumulate, i: number): State {
  const arg = a.op === "argmax" || a.op === "argmin";
  return { name: `a${i}`, op: a.op, dtype: arg ? a.value.dtype : a.dtype, arg };
}

export const partsOf = (s: State): { name: string; type: string }[] =>
  s.arg ? [{ name: s.name, type: "u32" }, { name: `${s.name}_at`, type: "u32" }] : [{ name: s.name, type: scalarType(s.dtype) }];

export const identityOf = (s: State): string[] => (s.arg ? ["0u", "0xffffffffu"] : [literal(s.dtype, identity(s.op, s.dtype))]);

/** A value of the loop as a state to combine: itself, or its key and position. */
export function reading(s: State, value: string, position: string): [string, string?] {
  if (!s.arg) return [value];
  const up = s.op === "argmax";
  if (s.dtype === "float32") return [`${up ? "h_key_max" : "h_key_min"}(${value})`, position];
  const key = s.dtype === "int32" ? `(bitcast<u32>(${value}) ^ 0x80000000u)` : `u32(${value})`;
  return [up ? key : `~${key}`, position];
}

/** Statements that fold a value (and its position) into the state. */
export function combine(s: State, value: string, position?: string): string[] {
  if (s.op !== "argmax" && s.op !== "argmin") return [`${s.name} = ${arithmetic(s.op, s.dtype, s.name, value)};`];
  return [
    "{",
    `  let key = ${value};`,
    `  let at = ${position};`,
    `  if (key > ${s.name} || (key == ${s.name} && at < ${s.name}_at)) { ${s.name} = key; ${s.name}_at = at; }`,
    "}",
  ];
}
