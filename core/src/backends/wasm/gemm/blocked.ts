import type { FunctionBuilder, Local } from "../assembler/index.js";
import { blockedScratch, panelStep, rowKinds } from "./blocking.js";
import type { Blocking } from "./blocking.js";
import type { Form } from "./form.js";
import { addScaled, passOf, staticRange, times } from "./loops.js";
import type { Index } from "./loops.js";
import { mirrorFunction } from "./mirror.js";
import { emitColumnPanels, emitRowPanels, pushColumns, pushPrepackedColumns, pushPrepackedRows } from "./panels.js";
import type { GemmContext, GemmSpec } from "./spec.js";
import { tileFunction } from "./tile.js";

/** Of so few products, a sum costs less than the copy of one. */
const leastMirroredDepth = 16;

/** Parameters: A, B, C, scratch. */
export function emitBlocked(f: FunctionBuilder, context: GemmContext, form: Form, spec: GemmSpec, p: Blocking): void {
  const { n, k, accumulate, prepacked } = spec;
  const { size } = form;
  const a = { row: spec.a.row * size, k: spec.a.k * size };
  const b = { k: spec.b.k * size, column: spec.b.column * size };
  const cRow = spec.c.row * size;
  const [A, B, C, scratch] = [0, 1, 2, 3];
  const [kc, aPanel, bPanel, cPanel, cBlock, left] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
  const scratchA = blockedScratch(form, spec, p).b;
  const tail = n % p.width;
  // Of a symmetric C, tiles that lie wholly above the diagonal are left out.
  const half = spec.symmetric && n > 2 * p.width && k >= leastMirroredDepth ? { row: f.local("i32"), column: f.local("i32") } : undefined;

  const tile = (rows: number, columns: number) =>
    tileFunction(context, form, {
      rows, columns,
      a: p.packA ? { row: size, step: rows * size } : { row: a.row, step: a.k },
      b: p.packB ? { step: panelStep(form, columns) * size, padded: true } : { step: b.k, padded: false },
    });
  const pushA = (i: Index, q: Index): FunctionBuilder => addScaled(addScaled(f.get(A), i, a.row), q, a.k);
  const pushB = (q: Index, j: Index): FunctionBuilder => pushColumns(f, spec, size, B, q, j);

  /** Rows from one on: some high panels, then some low ones. */
  const rowBlock = (row: () => FunctionBuilder, pointC: () => FunctionBuilder, pointA: () => FunctionBuilder, high: number, low: number, q: Index, j: Index): void => {
    const kinds = rowKinds(p, high, low);
    const panelsOfA = (): FunctionBuilder => (prepacked === "a" ? pushPrepackedRows(f, spec, size, { panels: A, q, kc, row }) : f.get(scratch).i32(scratchA).op("i32.add"));
    if (p.packA && prepacked !== "a") emitRowPanels(f, context, form, { point: pointA, row: a.row, step: a.k, kc, target: panelsOfA }, kinds);
    const column = (columns: number): void => {
      if (p.packA) panelsOfA().set(aPanel);
      else pointA().set(aPanel);
      f.get(cBlock).set(cPanel);
      if (half) row().set(half.row);
      for (const { count, rows } of kinds) {
        const target = tile(rows, columns);
        const multiply = (): void => {
          f.get(aPanel).get(bPanel).get(cPanel).get(kc).i32(cRow);
          if (accumulate) f.i32(0);
          else if (q === undefined) f.i32(1);
          else f.get(q).op("i32.eqz");
          f.call(target);
        };
        times(f, count, () => {
          if (half) f.get(half.row).i32(rows).op("i32.add").tee(half.row).get(half.column).op("i32.gt_s").if(multiply);
          else multiply();
          f.get(aPanel);
          if (p.packA) f.get(kc).i32(rows * size).op("i32.mul");
          else f.i32(rows * a.row);
          f.op("i32.add").set(aPanel).get(cPanel).i32(rows * cRow).op("i32.add").set(cPanel);
        });
      }
    };
    addScaled(pointC(), j, size).set(cBlock);
    if (half) (j === undefined ? f.i32(0) : f.get(j)).set(half.column);
    if (prepacked === "b") pushPrepackedColumns(f, spec, form, p, { panels: B, q, j }).set(bPanel);
    else if (p.packB) f.get(scratch).set(bPanel);
    else pushB(q, j).set(bPanel);
    const next = (): void => {
      f.get(bPanel);
      if (p.packB) f.get(kc).i32(p.width * size).op("i32.mul");
      else f.i32(p.width * b.column);
      f.op("i32.add").set(bPanel).get(cBlock).i32(p.width * size).op("i32.add").set(cBlock);
      if (half) f.get(half.column).i32(p.width).op("i32.add").set(half.column);
    };
    if (n >= p.width) {
      passOf(f, j, n, p.columns).set(left);
      f.loop((again) => {
        column(p.width);
        next();
        f.get(left).i32(p.width).op("i32.sub").tee(left).i32(p.width).op("i32.ge_s").brIf(again);
      });
      if (tail > 0) f.get(left).if(() => column(tail));
    } else column(tail);
  };

  staticRange(f, n, p.columns, (j) => staticRange(f, k, p.depth, (q) => {
    passOf(f, q, k, p.depth).set(kc);
    if (p.packB && prepacked !== "b") emitColumnPanels(f, context, form, spec, p, { source: B, q, j, kc, target: () => f.get(scratch) });
    const passes = Math.floor(p.high.count / p.rowPanels);
    const rest = p.high.count % p.rowPanels;
    const passRows = p.rowPanels * p.high.rows;
    if (passes > 0) staticRange(f, passes * passRows, passRows, (i) => rowBlock(() => (i === undefined ? f.i32(0) : f.get(i)), () => addScaled(f.get(C), i, cRow), () => pushA(i, q), p.rowPanels, 0, q, j));
    if (rest + p.low.count > 0) {
      const first = passes * passRows;
      const shifted = (push: () => FunctionBuilder, by: number) => (): FunctionBuilder => (by === 0 ? push() : push().i32(by).op("i32.add"));
      rowBlock(() => f.i32(first), shifted(() => f.get(C), first * cRow), shifted(() => pushA(undefined, q), first * a.row), rest, p.low.count, q, j);
    }
  }));
  if (half) {
    f.get(C).i32(cRow).i32(n).call(mirrorFunction(context, form));
    f.release(half.row).release(half.column);
  }
  for (const local of [kc, aPanel, bPanel, cPanel, cBlock, left] satisfies Local[]) f.release(local);
}
