import type { FunctionBuilder, Local } from "../assembler/index.js";
import { blockFor } from "./form.js";
import type { Form } from "./form.js";
import { addScaled, passOf, staticRange, times } from "./loops.js";
import type { Index } from "./loops.js";
import { panelPacker } from "./pack.js";
import type { GemmContext, GemmSpec } from "./spec.js";
import { tileFunction } from "./tile.js";

/** How a product goes through the caches, after Goto and van de Geijn (2008), "Anatomy of high-performance matrix multiplication". */
export interface Blocking {
  readonly packA: boolean;
  readonly packB: boolean;
  /** Depth of a panel: one of A and one of B share the first-level cache. */
  readonly depth: number;
  /** Rows come in `high.count` panels of `high.rows`, then `low.count` of one row less; so many panels stay in the second-level cache. */
  readonly high: { readonly rows: number; readonly count: number };
  readonly low: { readonly rows: number; readonly count: number };
  readonly rowPanels: number;
  /** Columns of a panel of B, and of the panels that stay in the third-level cache. */
  readonly width: number;
  readonly columns: number;
}

const mostDepth = 384;
const mostRows = 192;
const mostColumns = 1024;

/** `size` in the fewest equal parts of at most `most`, rounded up to multiples of `unit`. */
const evenly = (size: number, most: number, unit: number): number => Math.ceil(size / Math.ceil(size / most) / unit) * unit;

export function planBlocks(form: Form, { m, n, k, b }: GemmSpec): Blocking {
  const block = blockFor(form, m, n);
  const panels = Math.ceil(m / block.rows);
  const rows = Math.ceil(m / panels);
  const low = rows * panels - m;
  const width = block.vectors * form.lanes;
  // A small product reads its operands where they are; from large ones, panels make every read a neighbour of the one before.
  const packA = n > 8 * width && m * k * form.size > smallBytes;
  const packB = b.column !== 1 || (m > 4 * rows && n * k * form.size > smallBytes);
  return {
    packA, packB, width,
    depth: evenly(k, mostDepth, 4),
    high: { rows, count: panels - low }, low: { rows: rows - 1, count: low },
    rowPanels: Math.max(1, Math.floor(mostRows / rows)),
    columns: evenly(n, mostColumns, width),
  };
}

/** An operand of so many bytes is as fast in place: all of it stays in the first-level cache. */
const smallBytes = 8192;

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;
const panelStep = (form: Form, columns: number): number => Math.ceil(columns / form.lanes) * form.lanes;

/** Bytes of scratch room for panels of B, which come first, and of A. */
export function blockedScratch(form: Form, { m, n, k }: GemmSpec, p: Blocking): { readonly b: number; readonly a: number } {
  const depth = Math.min(k, p.depth);
  return {
    b: p.packB ? align(depth * Math.min(p.columns, panelStep(form, n)) * form.size) : 0,
    a: p.packA ? align(depth * Math.min(m, p.rowPanels * p.high.rows + p.low.count * p.low.rows) * form.size) : 0,
  };
}

/** Parameters: A, B, C, scratch. */
export function emitBlocked(f: FunctionBuilder, context: GemmContext, form: Form, spec: GemmSpec, p: Blocking): void {
  const { n, k, accumulate } = spec;
  const { size } = form;
  const a = { row: spec.a.row * size, k: spec.a.k * size };
  const b = { k: spec.b.k * size, column: spec.b.column * size };
  const cRow = spec.c.row * size;
  const [A, B, C, scratch] = [0, 1, 2, 3];
  const [kc, aPanel, bPanel, cPanel, cBlock, left] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
  const scratchA = blockedScratch(form, spec, p).b;
  const tail = n % p.width;

  const tile = (rows: number, columns: number) =>
    tileFunction(context, form, {
      rows, columns,
      a: p.packA ? { row: size, step: rows * size } : { row: a.row, step: a.k },
      b: p.packB ? { step: panelStep(form, columns) * size, padded: true } : { step: b.k, padded: false },
    });
  const pushA = (i: Index, q: Index): FunctionBuilder => addScaled(addScaled(f.get(A), i, a.row), q, a.k);
  const pushB = (q: Index, j: Index): FunctionBuilder => addScaled(addScaled(f.get(B), q, b.k), j, b.column);

  const packColumns = (q: Index, j: Index): void => {
    const whole = n - tail;
    if (whole > 0) {
      const packer = panelPacker(context, form, { width: p.width, step: p.width, ragged: false });
      // A panel that is not whole is left to the packer below.
      pushB(q, j).i32(b.column).i32(b.k);
      passOf(f, j, n, p.columns).get(kc).get(scratch).i32(0).call(packer);
    }
    if (tail > 0) {
      const packer = panelPacker(context, form, { width: tail, step: panelStep(form, tail), ragged: false });
      const pack = (): void => {
        pushB(q, undefined).i32(whole * b.column).op("i32.add").i32(b.column).i32(b.k).i32(tail).get(kc).get(scratch);
        f.i32(whole);
        if (j !== undefined) f.get(j).op("i32.sub");
        f.get(kc).op("i32.mul").i32(size).op("i32.mul").op("i32.add").i32(0).call(packer);
      };
      if (j === undefined) pack();
      else f.get(j).i32(n - p.columns).op("i32.ge_s").if(pack);
    }
  };

  /** Rows from i on: some high panels, then some low ones. */
  const rowBlock = (i: () => FunctionBuilder, pointA: () => FunctionBuilder, high: number, low: number, q: Index, j: Index): void => {
    const kinds = [{ count: high, rows: p.high.rows }, { count: low, rows: p.low.rows }].filter((x) => x.count > 0 && x.rows > 0);
    if (p.packA) {
      let done = 0;
      for (const { count, rows } of kinds) {
        pointA();
        if (done > 0) f.i32(done * a.row).op("i32.add");
        f.i32(a.row).i32(a.k).i32(count * rows).get(kc).get(scratch).i32(scratchA).op("i32.add");
        if (done > 0) f.get(kc).i32(done * size).op("i32.mul").op("i32.add");
        f.i32(0).call(panelPacker(context, form, { width: rows, step: rows, ragged: false }));
        done += count * rows;
      }
    }
    const column = (columns: number): void => {
      if (p.packA) f.get(scratch).i32(scratchA).op("i32.add").set(aPanel);
      else pointA().set(aPanel);
      f.get(cBlock).set(cPanel);
      for (const { count, rows } of kinds) {
        const target = tile(rows, columns);
        times(f, count, () => {
          f.get(aPanel).get(bPanel).get(cPanel).get(kc).i32(cRow);
          if (accumulate) f.i32(0);
          else if (q === undefined) f.i32(1);
          else f.get(q).op("i32.eqz");
          f.call(target);
          f.get(aPanel);
          if (p.packA) f.get(kc).i32(rows * size).op("i32.mul");
          else f.i32(rows * a.row);
          f.op("i32.add").set(aPanel).get(cPanel).i32(rows * cRow).op("i32.add").set(cPanel);
        });
      }
    };
    addScaled(i(), j, size).set(cBlock);
    if (p.packB) f.get(scratch).set(bPanel);
    else pushB(q, j).set(bPanel);
    const next = (): void => {
      f.get(bPanel);
      if (p.packB) f.get(kc).i32(p.width * size).op("i32.mul");
      else f.i32(p.width * b.column);
      f.op("i32.add").set(bPanel).get(cBlock).i32(p.width * size).op("i32.add").set(cBlock);
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
    if (p.packB) packColumns(q, j);
    const passes = Math.floor(p.high.count / p.rowPanels);
    const rest = p.high.count % p.rowPanels;
    const passRows = p.rowPanels * p.high.rows;
    if (passes > 0) staticRange(f, passes * passRows, passRows, (i) => rowBlock(() => addScaled(f.get(C), i, cRow), () => pushA(i, q), p.rowPanels, 0, q, j));
    if (rest + p.low.count > 0) {
      const first = passes * passRows;
      const shifted = (push: () => FunctionBuilder, by: number) => (): FunctionBuilder => (by === 0 ? push() : push().i32(by).op("i32.add"));
      rowBlock(shifted(() => f.get(C), first * cRow), shifted(() => pushA(undefined, q), first * a.row), rest, p.low.count, q, j);
    }
  }));
  for (const local of [kc, aPanel, bPanel, cPanel, cBlock, left] satisfies Local[]) f.release(local);
}
