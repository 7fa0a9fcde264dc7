import { type Code, type Index, type Pointer, template } from "../../native/index.js";
import { blockLength, carryOn, inBlocks, nameOf, type Running } from "./operation.js";

/** Columns that go together: what they need stays in the nearest cache. */
const chunkColumns = 1024;
/** Up to so many vectors of columns keep their running values in registers. */
const registerVectors = 4;

/** Elements of scratch. */
export const columnScratch = (c: { readonly dtype: Code["dtype"] }, inner: number): number => (inner > registerVectors * (c.dtype === "float64" ? 2 : 4) ? 2 * Math.min(inner, chunkColumns) : 0);

const columnParameters = { rows: "index", row: "index", x: "pointer", y: "pointer" } as const;

/** So many vectors of columns from the first row to the last. */
const inRegisters = (r: Running, vectors: number) => template(`cumulative.${nameOf(r)}.${vectors} vectors`, columnParameters, "nothing", (c, { rows, row, x, y }) => {
  const identity = c.let(c.real(r.identity(c.dtype)).lanes());
  const blocks = inBlocks(c, r);
  const columns = Array.from({ length: vectors }, (_, v) => ({ at: v * c.lanes, value: c.let(identity), before: blocks ? c.let(identity) : undefined }));
  const inBlock = c.index(blockLength);
  c.range(0, rows, () => {
    for (const { at, value, before } of columns) {
      value.set(r.lanes(value, x.loadLanes(at)));
      y.storeLanes(before ? before.plus(value) : value, at);
    }
    x.advance(row);
    y.advance(row);
    if (!blocks) return;
    inBlock.add(-1);
    c.when(inBlock.equals(0), () => {
      for (const { value, before } of columns) {
        const { sum, error } = carryOn(c, before!, value, identity);
        value.set(error);
        before!.set(sum);
      }
      inBlock.set(blockLength);
    });
  });
});

const oneColumn = (r: Running) => template(`cumulative.${nameOf(r)}.column`, columnParameters, "nothing", (c, { rows, row, x, y }) => {
  const blocks = inBlocks(c, r);
  const value = c.real(r.identity(c.dtype));
  const before = c.real(r.identity(c.dtype));
  const inBlock = c.index(blockLength);
  c.range(0, rows, () => {
    value.set(r.one(value, x.load()));
    y.store(blocks ? before.plus(value) : value);
    x.advance(row);
    y.advance(row);
    if (!blocks) return;
    inBlock.add(-1);
    c.when(inBlock.equals(0), () => {
      const { sum, error } = carryOn(c, before.lanes(), value.lanes(), c.real(-0).lanes());
      value.set(error.lane(0));
      before.set(sum.lane(0));
      inBlock.set(blockLength);
    });
  });
});

/** Many columns, row by row; the running values within the block of rows lie in scratch, and behind them those before it. */
const throughMemory = (r: Running) => template(`cumulative.${nameOf(r)}.columns`, { rows: "index", columns: "index", row: "index", x: "pointer", y: "pointer", scratch: "pointer" }, "nothing", (c, { rows, columns, row, x, y, scratch }) => {
  const blocks = inBlocks(c, r);
  const none = c.real(r.identity(c.dtype));
  const identity = c.let(none.lanes());
  const values = scratch;
  const before = c.let(scratch.at(columns));
  const unroll = 4;
  c.sweep(columns, [values, before], 1, ([p, q]) => { p.storeLanes(identity); q.storeLanes(identity); }, ([p, q]) => { p.store(none); q.store(none); });
  const inBlock = c.index(blockLength);
  const held = c.let(identity);
  const single = c.let(none);
  c.range(0, rows, () => {
    c.sweep(columns, [x, y, values, before], unroll, ([from, to, value, base], u) => {
      const at = u * c.lanes;
      held.set(r.lanes(value.loadLanes(at), from.loadLanes(at)));
      value.storeLanes(held, at);
      to.storeLanes(blocks ? base.loadLanes(at).plus(held) : held, at);
    }, ([from, to, value, base]) => {
      single.set(r.one(value.load(), from.load()));
      value.store(single);
      to.store(blocks ? base.load().plus(single) : single);
    });
    x.advance(row);
    y.advance(row);
    if (!blocks) return;
    inBlock.add(-1);
    c.when(inBlock.equals(0), () => {
      c.sweep(columns, [values, before], 1, ([value, base]) => {
        const { sum, error } = carryOn(c, base.loadLanes(), value.loadLanes(), identity);
        value.storeLanes(error);
        base.storeLanes(sum);
      }, ([value, base]) => {
        const { sum, error } = carryOn(c, base.load().lanes(), value.load().lanes(), identity);
        value.store(error.lane(0));
        base.store(sum.lane(0));
      });
      inBlock.set(blockLength);
    });
  });
});

/** Running values along the second axis of `outer` by `length` by `inner` elements, inner > 1. */
export function alongColumns(c: Code, r: Running, outer: number, length: number, inner: number, x: Pointer, y: Pointer, scratch: Pointer): void {
  const row = r.reverse ? -inner : inner;
  const start = r.reverse ? (length - 1) * inner : 0;
  const strips = (g: Index): void => {
    const at = g.times(length * inner).plus(start);
    let column = 0;
    const strip = (columns: number, code: ReturnType<typeof oneColumn>): void => {
      c.call(code, { rows: length, row, x: x.at(at.plus(column)), y: y.at(at.plus(column)) });
      column += columns;
    };
    const vectors = Math.floor(inner / c.lanes);
    if (vectors > 0) strip(vectors * c.lanes, inRegisters(r, vectors));
    while (column < inner) strip(1, oneColumn(r));
  };
  const chunks = (g: Index): void => {
    const at = g.times(length * inner).plus(start);
    for (let column = 0; column < inner; ) {
      const columns = Math.min(inner - column, chunkColumns);
      c.call(throughMemory(r), { rows: length, columns, row, x: x.at(at.plus(column)), y: y.at(at.plus(column)), scratch });
      column += columns;
    }
  };
  c.range(0, outer, inner <= registerVectors * c.lanes ? strips : chunks);
}
