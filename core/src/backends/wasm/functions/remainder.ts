import { fromHalves, halves } from "./float64-lanes.js";
import type { FunctionLibrary } from "./contract.js";
import type { Body, Value } from "./graph.js";
import { Lanes } from "./lanes.js";

/** `x - q y` for integers q below 2^51: the product and its error (Dekker 1971), each difference exact, since the remainder has no more digits than y. */
function lessProduct(l: Lanes, x: Value, q: Value, y: Value): Value {
  const product = l.mul(q, y);
  const [qHigh, yHigh] = [l.high(q), l.high(y)];
  const [qLow, yLow] = [l.sub(q, qHigh), l.sub(y, yHigh)];
  const error = l.add(l.add(l.add(l.sub(l.mul(qHigh, yHigh), product), l.mul(qHigh, yLow)), l.mul(qLow, yHigh)), l.mul(qLow, yLow));
  return l.sub(l.sub(x, product), error);
}

/** The remainder of two magnitudes in float64, and where it is right; `short` numbers have 24 digits, so that a quotient below 2^29 times y is exact. */
function remainderOf(l: Lanes, x: Value, y: Value, short: boolean): { value: Value; known: Value } {
  const quotient = l.div(x, y);
  const q = l.trunc(quotient);
  const r = short ? l.sub(x, l.mul(q, y)) : lessProduct(l, x, q, y);
  // A quotient just below an integer may have been rounded to it.
  const value = l.add(r, l.and(y, l.lt(r, 0)));
  const bounded = l.lt(quotient, short ? 2 ** 29 : 2 ** 51);
  return { value, known: short ? l.and(bounded, l.lt(y, Infinity)) : l.and(l.and(bounded, l.lt(x, 2 ** 1020)), l.lt(y, Infinity)) };
}

/** `x - y trunc(x / y)`, exact. Quotients too large for one step, infinities and division by 0 go to JavaScript's `%`. */
export function rem(l: Lanes, library: FunctionLibrary, x: Value, y: Value): Body {
  const [a, b] = [l.abs(x), l.abs(y)];
  const call = library.host("rem", l.dtype);
  if (l.wide) {
    const { value, known } = remainderOf(l, a, b, false);
    return { value: l.withSign(value, x), otherwise: { when: l.not(known), call } };
  }
  const d = new Lanes("float64", library);
  const [as, bs] = [halves(a), halves(b)];
  const parts = [remainderOf(d, as[0], bs[0], true), remainderOf(d, as[1], bs[1], true)] as const;
  const known = masksOfHalves(parts[0].known, parts[1].known);
  return { value: l.withSign(fromHalves(parts[0].value, parts[1].value), x), otherwise: { when: l.not(known), call } };
}

/** Masks of two halves of 64-bit lanes as one of 32-bit lanes. */
const masksOfHalves = (low: Value, high: Value): Value => ({ kind: "shuffle", operands: [low, high], words: [0, 2, 4, 6] });
