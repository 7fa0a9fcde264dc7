import type { Value } from "./graph.js";

/** The four float32 lanes as two vectors of float64. */
export function halves(x: Value): [Value, Value] {
  const upper: Value = { kind: "shuffle", operands: [x, x], words: [2, 3, 2, 3] };
  return [{ kind: "op", op: "f64x2.promote_low_f32x4", operands: [x] }, { kind: "op", op: "f64x2.promote_low_f32x4", operands: [upper] }];
}

/** Two vectors of float64 rounded to one of float32. */
export function fromHalves(low: Value, high: Value): Value {
  const demote = (v: Value): Value => ({ kind: "op", op: "f32x4.demote_f64x2_zero", operands: [v] });
  return { kind: "shuffle", operands: [demote(low), demote(high)], words: [0, 1, 4, 5] };
}
