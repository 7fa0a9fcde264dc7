import type { TypedArray } from "../../base/dtype.js";
import { type Affine, type Expr, visitExpr } from "../../kernel/expr.js";
import { binary, bitcast, convert, round, unary } from "./semantics.js";

/** The value of an affine function at these loop indices; those that are not given count as 0. */
export function address({ offset, strides }: Affine, i: readonly number[]): number {
  let at = offset;
  const known = Math.min(strides.length, i.length);
  for (let d = 0; d < known; d++) at += strides[d]! * i[d]!;
  return at;
}

/**
 * An expression as a function of the loop indices. Every distinct node has a slot and is computed once an element, operands first. A
 * guard's inside is computed everywhere: what lies out of range reads as 0 and is then not chosen.
 */
export function evaluator(root: Expr, buffers: readonly TypedArray[], accumulators: readonly number[] = []): (i: readonly number[]) => number {
  const slot = new Map<Expr, number>();
  const nodes: ((i: readonly number[]) => number)[] = [];
  visitExpr(root, (e) => {
    slot.set(e, nodes.length);
    nodes.push(node(e));
  });
  const values = new Float64Array(nodes.length);
  function node(e: Expr): (i: readonly number[]) => number {
    const at = (x: Expr) => slot.get(x)!;
    switch (e.op) {
      case "const": return () => round(e.dtype, e.value);
      case "load": {
        const data = buffers[e.buffer]!;
        const base = e.base && at(e.base);
        return (i) => data[address(e.index, i) + (base === undefined ? 0 : values[base]!)] ?? 0;
      }
      case "gather": { const data = buffers[e.buffer]!; const k = at(e.at); return () => data[values[k]!] ?? 0; }
      case "index": return (i) => address(e.index, i) | 0;
      case "unary": { const f = unary(e.fn, e.x.dtype); const x = at(e.x); return () => f(values[x]!); }
      case "binary": { const f = binary(e.fn, e.a.dtype); const a = at(e.a), b = at(e.b); return () => f(values[a]!, values[b]!); }
      case "select": { const c = at(e.condition), a = at(e.a), b = at(e.b); return () => values[values[c] ? a : b]!; }
      case "guard": {
        const inside = at(e.inside), outside = at(e.outside);
        return (i) => values[e.bounds.every((b) => { const v = address(b.index, i); return v >= b.lo && v < b.hi && (v - b.lo) % b.step === 0; }) ? inside : outside]!;
      }
      case "cast": { const x = at(e.x), from = e.x.dtype; return () => convert(from, e.dtype, values[x]!); }
      case "bitcast": { const x = at(e.x), from = e.x.dtype; return () => bitcast(from, e.dtype, values[x]!); }
      case "accumulator": return () => accumulators[e.i]!;
    }
  }
  return (i) => {
    for (let k = 0; k < nodes.length; k++) values[k] = nodes[k]!(i);
    return values[nodes.length - 1]!;
  };
}

/** The value of an expression without loop indices, such as a base. */
export const scalarValue = (e: Expr | undefined, buffers: readonly TypedArray[]): number => (e ? evaluator(e, buffers)([]) : 0);
