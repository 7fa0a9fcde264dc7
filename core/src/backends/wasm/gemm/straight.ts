import type { FunctionBuilder, Local } from "../assembler/index.js";
import { multiplyAdd } from "./form.js";
import type { Form } from "./form.js";
import { loadPart, storePart } from "./part.js";
import type { GemmSpec } from "./spec.js";

/** Multiply-adds that are written out one after the other. */
const mostOperations = 64;

export const fitsStraight = (form: Form, { m, n, k }: GemmSpec): boolean => m * Math.ceil(n / form.lanes) * k <= mostOperations && Math.ceil(n / form.lanes) * k <= 24;

/** A product so small that loops would cost more than it does. */
export function emitStraight(f: FunctionBuilder, form: Form, spec: GemmSpec, [A, B, C]: readonly [a: Local, b: Local, c: Local]): void {
  const { m, n, k, a, b, c } = spec;
  const { size, lanes } = form;
  const parts = Array.from({ length: Math.ceil(n / lanes) }, (_, v) => ({ at: v * lanes, count: Math.min(lanes, n - v * lanes) }));
  const lines: Local[][] = [];
  for (let q = 0; q < k; q++)
    lines.push(parts.map(({ at, count }) => {
      const v = f.local(form.type);
      const offset = (q * b.k + at * b.column) * size;
      if (b.column === 1 || count === 1) {
        loadPart(f, form, B, offset, count);
        f.set(v);
      } else {
        loadPart(f, form, B, offset, 1);
        f.set(v);
        for (let l = 1; l < count; l++) f.get(B).get(v).memoryLane(size === 4 ? "v128.load32_lane" : "v128.load64_lane", l, offset + l * b.column * size).set(v);
      }
      return v;
    }));
  const element = f.local(form.type);
  const sums = parts.map(() => f.local(form.type));
  for (let i = 0; i < m; i++) {
    for (let q = 0; q < k; q++) {
      f.get(A).memory(form.splat, (i * a.row + q * a.k) * size).set(element);
      sums.forEach((s, v) => {
        if (q > 0) multiplyAdd(f, form, element, lines[q]![v]!, s);
        else f.get(element).get(lines[q]![v]!).op(form.mul).set(s);
      });
    }
    sums.forEach((s, v) => {
      const { at, count } = parts[v]!;
      const offset = (i * c.row + at) * size;
      if (spec.accumulate) {
        loadPart(f, form, C, offset, count);
        f.get(s).op(form.add).set(s);
      }
      storePart(f, form, C, offset, count, s);
    });
  }
  for (const v of [...lines.flat(), ...sums, element]) f.release(v);
}
