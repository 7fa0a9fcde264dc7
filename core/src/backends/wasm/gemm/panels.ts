import type { FunctionBuilder, Local } from "../assembler/index.js";
import { align, panelStep, planBlocks, rowKinds } from "./blocking.js";
import type { Blocking } from "./blocking.js";
import type { Form } from "./form.js";
import { addScaled, passOf, staticRange } from "./loops.js";
import type { Index } from "./loops.js";
import { panelPacker } from "./pack.js";
import type { GemmContext, GemmSpec } from "./spec.js";

/** Pushes the address of B[q, j]. */
export const pushColumns = (f: FunctionBuilder, { b }: GemmSpec, size: number, B: Local, q: Index, j: Index): FunctionBuilder =>
  addScaled(addScaled(f.get(B), q, b.k * size), j, b.column * size);

interface Columns {
  readonly source: Local;
  readonly q: Index;
  readonly j: Index;
  /** Depth of the block at q. */
  readonly kc: Local;
  readonly target: () => FunctionBuilder;
}

/** Packs the block of B at q and j: whole panels, then what is left of the columns. */
export function emitColumnPanels(f: FunctionBuilder, context: GemmContext, form: Form, spec: GemmSpec, p: Blocking, { source, q, j, kc, target }: Columns): void {
  const { n } = spec;
  const { size } = form;
  const b = { k: spec.b.k * size, column: spec.b.column * size };
  const tail = n % p.width;
  const whole = n - tail;
  if (whole > 0) {
    const packer = panelPacker(context, form, { width: p.width, step: p.width, ragged: false });
    // A panel that is not whole is left to the packer below.
    pushColumns(f, spec, size, source, q, j).i32(b.column).i32(b.k);
    passOf(f, j, n, p.columns).get(kc);
    target().i32(0).call(packer);
  }
  if (tail > 0) {
    const packer = panelPacker(context, form, { width: tail, step: panelStep(form, tail), ragged: false });
    const pack = (): void => {
      pushColumns(f, spec, size, source, q, undefined).i32(whole * b.column).op("i32.add").i32(b.column).i32(b.k).i32(tail).get(kc);
      target().i32(whole);
      if (j !== undefined) f.get(j).op("i32.sub");
      f.get(kc).op("i32.mul").i32(size).op("i32.mul").op("i32.add").i32(0).call(packer);
    };
    if (j === undefined) pack();
    else f.get(j).i32(n - p.columns).op("i32.ge_s").if(pack);
  }
}

interface Rows {
  readonly point: () => FunctionBuilder;
  /** Strides of A in bytes. */
  readonly row: number;
  readonly step: number;
  /** Depth of the block. */
  readonly kc: Local;
  readonly target: () => FunctionBuilder;
}

/** Packs rows of A from a point on, in panels of each kind. */
export function emitRowPanels(f: FunctionBuilder, context: GemmContext, form: Form, { point, row, step, kc, target }: Rows, kinds: readonly { readonly count: number; readonly rows: number }[]): void {
  let done = 0;
  for (const { count, rows } of kinds) {
    point();
    if (done > 0) f.i32(done * row).op("i32.add");
    f.i32(row).i32(step).i32(count * rows).get(kc);
    target();
    if (done > 0) f.get(kc).i32(done * form.size).op("i32.mul").op("i32.add");
    f.i32(0).call(panelPacker(context, form, { width: rows, step: rows, ragged: false }));
    done += count * rows;
  }
}

/** Columns of all panels of B, with the zeros behind the last. */
const paddedColumns = (form: Form, { n }: GemmSpec, { width }: Blocking): number => n - (n % width) + panelStep(form, n % width);

/** Pushes where the panels of q and j begin: those of all q for one j lie together. */
export function pushPrepackedColumns(f: FunctionBuilder, spec: GemmSpec, form: Form, p: Blocking, { panels, q, j }: { readonly panels: Local; readonly q: Index; readonly j: Index }): FunctionBuilder {
  addScaled(f.get(panels), j, spec.k * form.size);
  if (q === undefined) return f;
  f.get(q);
  return passOf(f, j, paddedColumns(form, spec, p), p.columns).op("i32.mul").i32(form.size).op("i32.mul").op("i32.add");
}

/** Pushes where the panels of a row and q begin: those of all rows for one q lie together. */
export function pushPrepackedRows(f: FunctionBuilder, { m }: GemmSpec, size: number, { panels, q, kc, row }: { readonly panels: Local; readonly q: Index; readonly kc: Local; readonly row: () => FunctionBuilder }): FunctionBuilder {
  addScaled(f.get(panels), q, m * size);
  return row().get(kc).op("i32.mul").i32(size).op("i32.mul").op("i32.add");
}

/** Bytes of all panels of an operand. */
export const prepackedBytes = (form: Form, spec: GemmSpec, side: "a" | "b"): number =>
  align(spec.k * (side === "a" ? spec.m : paddedColumns(form, spec, planBlocks(form, spec))) * form.size);

/** Packs all of an operand beforehand, for many products. Parameters: the operand, and where its panels go. */
export function emitPrepacking(f: FunctionBuilder, context: GemmContext, form: Form, spec: GemmSpec, side: "a" | "b"): void {
  const { n, k, a } = spec;
  const { size } = form;
  const [source, panels] = [0, 1];
  const p = planBlocks(form, spec);
  const kc = f.local("i32");
  const depths = (pack: (q: Index) => void): void => staticRange(f, k, p.depth, (q) => {
    passOf(f, q, k, p.depth).set(kc);
    pack(q);
  });
  if (side === "b")
    staticRange(f, n, p.columns, (j) => depths((q) => {
      emitColumnPanels(f, context, form, spec, p, { source, q, j, kc, target: () => pushPrepackedColumns(f, spec, form, p, { panels, q, j }) });
    }));
  else
    depths((q) => {
      const point = (): FunctionBuilder => addScaled(f.get(source), q, a.k * size);
      const target = (): FunctionBuilder => pushPrepackedRows(f, spec, size, { panels, q, kc, row: () => f.i32(0) });
      emitRowPanels(f, context, form, { point, row: a.row * size, step: a.k * size, kc, target }, rowKinds(p, p.high.count, p.low.count));
    });
  f.release(kc);
}
