import { range, sizeOf } from "../base/shape.js";
import type { Aval } from "../ir/aval.js";
import { type Atom, Literal, type Var } from "../ir/program.js";
import { installElementwiseRule, type Known } from "../optimize/rules.js";
import { broadcast, reshape } from "./structural-ops.js";

/** An array of this type with one number everywhere. */
export const full = (known: Known, value: number, { shape, dtype, weak }: Aval): Atom => {
  const one = new Literal(dtype === "bool" ? value !== 0 : value, { shape: [], dtype, weak });
  return shape.length === 0 ? one : known.emit(broadcast, [one], { shape, dims: [] });
};

interface Repeated {
  readonly source: Atom;
  /** The axes of the whole along which it changes, in order. */
  readonly axes: readonly number[];
}

function repeated(known: Known, a: Atom): Repeated | undefined {
  const e = known.definition(a);
  if (e?.primitive !== broadcast) return undefined;
  const { dims } = e.params as { dims: readonly number[] };
  const source = e.inputs[0]!;
  return { source, axes: dims.filter((_, k) => source.aval.shape[k] !== 1) };
}

/**
 * `f(broadcast x, broadcast y)` is `broadcast f(x, y)`: operations on repeated values are done before they are repeated. Where all elements
 * are one known number, so is the result.
 */
installElementwiseRule((known, { primitive, inputs, params, outputs }, value) => {
  const { aval } = outputs[0]!;
  if (aval.shape.length === 0 || inputs.length === 0) return undefined;
  if (value !== undefined) return full(known, value, aval);
  const parts: Repeated[] = [];
  for (const a of inputs) {
    const part = repeated(known, a);
    if (!part) return undefined;
    parts.push(part);
  }
  const axes = range(aval.shape.length).filter((d) => parts.some((p) => p.axes.includes(d)));
  const shape = axes.map((d) => aval.shape[d]!);
  if (sizeOf(shape) >= sizeOf(aval.shape)) return undefined;
  const small = parts.map(({ source, axes: own }): Atom => {
    const dense = own.map((d) => aval.shape[d]!);
    const bare: Atom = dense.length === source.aval.shape.length ? source : known.emit(reshape, [source], { shape: dense });
    return dense.length === shape.length ? bare : known.emit(broadcast, [bare], { shape, dims: own.map((d) => axes.indexOf(d)) });
  });
  const result: Var = known.emit(primitive, small, params);
  return known.emit(broadcast, [result], { shape: aval.shape, dims: axes });
});
