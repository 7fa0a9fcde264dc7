import { blockFor } from "./form.js";
import type { Form } from "./form.js";
import type { GemmSpec } from "./spec.js";

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

/**
 * Up to how many bytes an operand whose rows are whole is read where it lies, as measured: a tile reads some rows of A side by side, as
 * good as a panel until A leaves the second-level cache; of B it reads a piece of each row, and pieces that lie far apart take one
 * another's place in the first-level cache. Where a load waits for the steps before it (unordered code), panels are worth more.
 */
const ordered = { rowsOfA: 2 ** 19, rowsOfB: 2 ** 17, rowOfB: 1024 } as const;
const unordered = { rowsOfA: 8192, rowsOfB: 24 * 1024, rowOfB: 512 } as const;

export function planBlocks(form: Form, { m, n, k, a, b, prepacked }: GemmSpec): Blocking {
  const block = blockFor(form, m, n);
  const panels = Math.ceil(m / block.rows);
  const rows = Math.ceil(m / panels);
  const low = rows * panels - m;
  const width = block.vectors * form.lanes;
  const inPlace = form.ordered ? ordered : unordered;
  const packA = prepacked === "a" || (n > 8 * width && m * k * form.size > (a.k === 1 ? inPlace.rowsOfA : smallBytes));
  const packB = prepacked === "b" || b.column !== 1 || (m > 4 * rows && n * k * form.size > (b.k * form.size <= inPlace.rowOfB ? inPlace.rowsOfB : smallBytes));
  return {
    packA, packB, width,
    depth: evenly(k, mostDepth, 4),
    high: { rows, count: panels - low }, low: { rows: rows - 1, count: low },
    rowPanels: Math.max(1, Math.floor(mostRows / rows)),
    columns: evenly(n, mostColumns, width),
  };
}

/** An operand of so many bytes is as fast in place, however it lies: all of it stays in the first-level cache. */
export const smallBytes = 8192;

export const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;
/** Elements from one depth of a panel to the next: whole vectors. */
export const panelStep = (form: Form, columns: number): number => Math.ceil(columns / form.lanes) * form.lanes;

/** Bytes of scratch room for panels of B, which come first, and of A. */
export function blockedScratch(form: Form, { m, n, k, prepacked }: GemmSpec, p: Blocking): { readonly b: number; readonly a: number } {
  const depth = Math.min(k, p.depth);
  return {
    b: p.packB && prepacked !== "b" ? align(depth * Math.min(p.columns, panelStep(form, n)) * form.size) : 0,
    a: p.packA && prepacked !== "a" ? align(depth * Math.min(m, p.rowPanels * p.high.rows + p.low.count * p.low.rows) * form.size) : 0,
  };
}

/** The panels of some rows: high ones, then low ones. */
export const rowKinds = (p: Blocking, high: number, low: number): { readonly count: number; readonly rows: number }[] =>
  [{ count: high, rows: p.high.rows }, { count: low, rows: p.low.rows }].filter((x) => x.count > 0 && x.rows > 0);
