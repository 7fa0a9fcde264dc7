import { type DType, itemsize } from "../../../base/dtype.js";
import { contiguousStrides } from "../../../base/shape.js";
import { accumulator, type Affine, binary, type BufferId, constant, type Expr, gather, load, rewrite } from "../../../kernel/expr.js";
import { byStride, type Contraction, mergedStride } from "../../../kernel/contraction.js";
import type { Accumulate, BufferInfo, Kernel, KernelOutput } from "../../../kernel/schedule.js";
import { visitKernel, writesOf } from "../../../kernel/traverse.js";
import { maxPieces } from "./control.js";
import { PieceMaker, type View } from "./piece.js";
import { asProduct, callsHost, estimateWork } from "./work.js";

/** One kernel in pieces that threads may run in any order: they write different elements. */
export interface Split {
  readonly count: number;
  /** The kernel of each piece, and that of the last where it is smaller. Their buffers are positions in `views`. */
  readonly whole: Kernel;
  readonly last: Kernel | undefined;
  readonly views: readonly View[];
  /** Steps of the split dimension in a piece: where a piece begins is what the view of a cell holds. */
  readonly chunk: number;
  /** Buffers for the partial results of a reduction, with ids from `firstPartial`, and the kernel that combines them afterwards. */
  readonly partials: readonly BufferInfo[];
  readonly combine: Kernel | undefined;
}

/** Less work than this takes less time than to wake a thread for it, in nanoseconds. */
export const defaultMinimumWork = 40_000;
/** What a piece should take at least, as a part of that: to take one costs little then. */
const pieceWork = 0.3;
/** Pieces for each thread: more of them balance the load better where threads begin late. Each of a product packs one operand again. */
const piecesPerThread = 4;
const productsPerThread = 2;
/**
 * What a written byte costs more, in nanoseconds, because now and then it lies in the cache of another processor: up to 0.1 where it always
 * does, nothing while threads keep to their parts. Arrays larger than `cacheBytes` lie in no cache.
 */
const exchange = 0.005;
const cacheBytes = 24 * 2 ** 20;
const maxPartialBytes = 2 ** 20;
/** The same for matrix products. */
const productPieceWork = 4;
/** Columns or rows of a product that a piece has at least, and of which it has a multiple: whole vectors of columns, panels of rows. */
const productChunk = 32;
const productLines = { rows: 4, columns: 8 };
/** Elements of a chunk along which neighbours lie side by side: whole cache lines, no two threads in one. */
const lineElements = 64;

/** Bytes beside each other that a piece of a reduction down rows reads of a row at least; and rows from which partial results cost little. */
const leastRun = 8192;
const leastTerms = 16;

interface Cut {
  readonly dim: number;
  readonly chunk: number;
  readonly count: number;
  /** Part of the whole that the busiest thread does. */
  readonly share: number;
}

const ceilTo = (n: number, to: number): number => Math.ceil(n / to) * to;

/** How many pieces to try: as many for each thread, so that none waits for the last, or fewer where the work is not enough. */
function* pieceCounts(pieces: number, perThread: number, threads: number): Generator<number> {
  if (pieces < threads) yield Math.max(2, pieces);
  else for (let each = Math.min(perThread, Math.floor(pieces / threads)); each >= 1; each--) yield Math.min(maxPieces, each * threads);
}

/** Of cuts that leave the busiest thread the same work, the first. */
const best = (cuts: Iterable<Cut>): Cut | undefined => {
  let found: Cut | undefined;
  for (const c of cuts) if (c.count > 1 && (found === undefined || c.share < found.share * 0.98)) found = c;
  return found;
};

function cutAlong(dim: number, size: number, count: number, align: number, threads: number, least = 1): Cut {
  let chunk = Math.max(least, Math.ceil(size / count));
  if (chunk > align) chunk = ceilTo(chunk, align);
  const pieces = Math.ceil(size / chunk);
  return { dim, chunk, count: pieces, share: Math.min(1, (Math.ceil(pieces / threads) * chunk) / size) };
}

const strideOf = (a: Affine, d: number): number => a.strides[d] ?? 0;

export interface SplitOptions {
  readonly threads: number;
  readonly simd: boolean;
  /** Nanoseconds that a kernel must take on one thread to be split. */
  readonly minimumWork: number;
  /** Id of the first buffer for partial results. */
  readonly firstPartial: BufferId;
  /** The output that takes the memory of a donated input. */
  readonly aliasOf?: ((input: BufferId) => BufferId | undefined) | undefined;
}

/** Cuts a kernel for the threads; undefined where that gains nothing or cannot be done. */
export function splitKernel(kernel: Kernel, { threads, simd, minimumWork, firstPartial, aliasOf }: SplitOptions): Split | undefined {
  if (threads < 2) return undefined;
  const { nanoseconds: work, written, touched } = estimateWork(kernel, simd);
  if (work < minimumWork || !canSplit(kernel, aliasOf)) return undefined;
  const exchanged = touched > cacheBytes ? 0 : written * exchange;
  if (minimumWork > 0 && work / threads + exchanged > 0.8 * work) return undefined;
  const outputs = kernel.dims.length;
  const product = asProduct(kernel);
  const pieces = Math.floor(work / ((product ? productPieceWork : pieceWork) * minimumWork));
  const counts = [...pieceCounts(product ? Math.max(threads, pieces) : pieces, product ? productsPerThread : piecesPerThread, threads)];
  const along = (dim: number, size: number, align: number, least?: number): Cut[] => {
    const found = best(counts.map((count) => cutAlong(dim, size, count, align, threads, least)));
    return found ? [found] : [];
  };
  let guarded = 0;
  visitKernel(kernel, (e) => {
    if (e.op === "guard") for (const b of e.bounds) b.index.strides.forEach((s, d) => { if (s !== 0) guarded |= 1 << d; });
  });
  const cuts = (product ? productOrder(product) : kernel.dims.map((_, d) => d)).flatMap((dim) => {
    const size = kernel.dims[dim]!;
    if (guarded & (1 << dim)) return [];
    const beside = writesOf(kernel).some((o) => Math.abs(strideOf(o.index, dim)) === 1);
    if (product) {
      const lines = linesOf(kernel, product, dim);
      const steps = (atLeast: number): number => Math.max(1, Math.ceil(atLeast / lines));
      return along(dim, size, steps(beside ? productLines.columns : productLines.rows), minimumWork === 0 ? 1 : steps(productChunk));
    }
    // Vectors lie along such a dimension: pieces of a short one would lose them.
    if (beside && size < 2 * lineElements && kernel.accumulators.length > 0) return [];
    return along(dim, size, beside ? lineElements : 1);
  });
  // In the order of preference the first that is balanced well.
  const byOutput = (product && cuts.find((c) => c.share <= 1.15 / threads)) ?? best(cuts);
  const worth = (cut: Cut | undefined): cut is Cut => cut !== undefined && cut.share <= 0.8;
  const searches = kernel.accumulators.some((a) => a.op === "argmax" || a.op === "argmin");
  const apart = byOutput !== undefined && !product && !searches && runBytes(kernel, byOutput) < leastRun;
  if (worth(byOutput) && byOutput.share <= 1.5 / threads && !apart) return alongOutput(kernel, byOutput);
  const firstLong = kernel.reduceDims.findIndex((n) => n > 1);
  const byTerms = kernel.accumulators.length === 0 ? undefined : best(kernel.reduceDims.flatMap((size, i) => {
    if (guarded & (1 << (outputs + i)) || (searches && i !== firstLong)) return [];
    return along(outputs + i, size, lineElements);
  }));
  const better = (terms: Cut, output: Cut): boolean => terms.share < output.share || (apart && terms.chunk >= leastTerms && terms.share <= output.share);
  if (worth(byTerms) && !(worth(byOutput) && !better(byTerms, byOutput))) {
    const split = alongTerms(kernel, byTerms, firstPartial);
    if (split) return split;
  }
  return worth(byOutput) ? alongOutput(kernel, byOutput) : undefined;
}

/** Bytes that a piece reads in one go where it reads a part of each row of an array; infinite where no terms lie between its parts. */
function runBytes(kernel: Kernel, { dim, chunk }: Cut): number {
  const outputs = kernel.dims.length;
  let least = Infinity;
  visitKernel(kernel, (e) => {
    if (e.op !== "load") return;
    const stride = Math.abs(strideOf(e.index, dim));
    const between = kernel.reduceDims.some((n, i) => n > 1 && Math.abs(strideOf(e.index, outputs + i)) > stride);
    if (stride > 0 && between) least = Math.min(least, stride * chunk * itemsize(e.dtype));
  });
  return least;
}

/**
 * Output dimensions of a product, the best to cut first: a piece repeats the packing of the factor that does not move with it, so that should
 * be the smaller one. Pieces of a batch repeat nothing.
 */
function productOrder({ sizes, batch, m, n }: Contraction): number[] {
  const count = (dims: readonly number[]): number => dims.reduce((x, d) => x * sizes[d]!, 1);
  return [...batch, ...(count(m) > count(n) ? [...m, ...n] : [...n, ...m])];
}

/** Rows or columns of the matrices for one step of an output dimension; of a batch, all that one has. */
function linesOf(kernel: Kernel, { sizes, batch, m, n }: Contraction, dim: number): number {
  if (batch.includes(dim)) return Infinity;
  const inOrder = byStride(kernel.outputs[0]!.index, m.includes(dim) ? m : n);
  return inOrder.slice(inOrder.indexOf(dim) + 1).reduce((lines, d) => lines * sizes[d]!, 1);
}

/** Workers have no JavaScript functions; and what a worker could not do is done again, which must not meet what it has overwritten. */
function canSplit(kernel: Kernel, aliasOf: SplitOptions["aliasOf"]): boolean {
  const written = new Set(writesOf(kernel).map((o) => o.buffer));
  let host: "never" | "sometimes" | "always" = "never";
  let inPlace = false;
  visitKernel(kernel, (e) => {
    const calls = callsHost(e);
    if (calls === "always" || (calls === "sometimes" && host === "never")) host = calls;
    if ((e.op === "load" || e.op === "gather") && (written.has(e.buffer) || written.has(aliasOf?.(e.buffer) ?? -1))) inPlace = true;
  });
  return !kernel.dims.includes(0) && !kernel.reduceDims.includes(0) && (host as string) !== "always" && !((host as string) === "sometimes" && inPlace);
}

function alongOutput(kernel: Kernel, { dim, chunk, count }: Cut): Split {
  const maker = new PieceMaker(dim, chunk);
  const size = kernel.dims[dim]!;
  const piece = (n: number): Kernel => ({
    dims: kernel.dims.map((d, i) => (i === dim ? n : d)),
    reduceDims: kernel.reduceDims,
    accumulators: kernel.accumulators.map((a) => ({ ...a, value: maker.expr(a.value) })),
    outputs: kernel.outputs.map((o) => maker.output(o)),
    stores: kernel.stores?.map((o) => maker.output(o)),
  });
  const whole = piece(chunk);
  const rest = size - (count - 1) * chunk;
  return { count, whole, last: rest === chunk ? undefined : piece(rest), views: maker.views, chunk, partials: [], combine: undefined };
}

/**
 * Each piece reduces its part of the terms into partial results, which the second kernel reduces. The order of the terms is the same
 * whichever thread runs a piece.
 */
function alongTerms(kernel: Kernel, { dim, chunk, count }: Cut, firstPartial: BufferId): Split | undefined {
  const outputs = kernel.dims.length;
  const cells = kernel.dims.reduce((n, d) => n * d, 1);
  const maker = new PieceMaker(dim, chunk);
  const partials: BufferInfo[] = [];
  const inPiece: Affine = { offset: 0, strides: contiguousStrides(kernel.dims) };
  const partial = (dtype: DType): BufferId => firstPartial + partials.push({ dtype, size: count * cells }) - 1;
  const read = (dtype: DType, id: BufferId): Expr => load(dtype, id, { offset: 0, strides: [...inPiece.strides, cells] });

  const accumulators: Accumulate[] = kernel.accumulators.map((a) => ({ ...a, value: maker.expr(a.value) }));
  const stores = kernel.stores?.map((o) => maker.output(o));
  const written: KernelOutput[] = [];
  const store = (id: BufferId, value: Expr): void => { written.push({ buffer: maker.view(id, cells), index: inPiece, value }); };
  // Positions count the dimensions inside the split one.
  const within = kernel.reduceDims.slice(dim - outputs + 1).reduce((n, d) => n * d, 1);
  /** Addresses of the value that a search looks at, by position, if it is simply read: then pieces need not leave it. */
  const search = (e: Expr): ((position: Expr) => Expr) | undefined => {
    if (e.op !== "load" || e.base) return undefined;
    const stride = mergedStride(e.index, [...kernel.dims, ...kernel.reduceDims], kernel.reduceDims.map((_, i) => outputs + i));
    if (stride === undefined) return undefined;
    const origin: Expr = { op: "index", dtype: "int32", index: { offset: e.index.offset, strides: kernel.dims.map((_, d) => strideOf(e.index, d)) } };
    return (position) => gather(e.dtype, e.buffer, binary("add", origin, binary("mul", position, constant("int32", stride))));
  };
  const combined: { readonly accumulate: Accumulate; readonly result: Expr }[] = kernel.accumulators.map((a, i) => {
    if (a.op !== "argmax" && a.op !== "argmin") {
      const id = partial(a.dtype);
      store(id, accumulator(a.dtype, i));
      return { accumulate: { ...a, value: read(a.dtype, id) }, result: accumulator(a.dtype, i) };
    }
    const positions = partial("int32");
    store(positions, binary("add", accumulator("int32", i), binary("mul", maker.start(), constant("int32", within))));
    // Of the pieces the first with the extremum, then the position that it found.
    const at = kernel.dims.reduce<Expr>((sum, n, d) => (n === 1 ? sum : binary("add", sum, { op: "index", dtype: "int32", index: { offset: 0, strides: kernel.dims.map((_, k) => (k === d ? inPiece.strides[d]! : 0)) } })), binary("mul", accumulator("int32", i), constant("int32", cells)));
    const result = gather("int32", positions, at);
    const valueAt = search(a.value);
    if (valueAt) return { accumulate: { ...a, value: valueAt(read("int32", positions)) }, result };
    const extremum = accumulators.push({ op: a.op === "argmax" ? "max" : "min", dtype: a.value.dtype, value: accumulators[i]!.value }) - 1;
    const values = partial(a.value.dtype);
    store(values, accumulator(a.value.dtype, extremum));
    return { accumulate: { ...a, value: read(a.value.dtype, values) }, result };
  });
  if (partials.reduce((n, p) => n + p.size * itemsize(p.dtype), 0) > maxPartialBytes) return undefined;

  const size = kernel.reduceDims[dim - outputs]!;
  const piece = (n: number): Kernel => ({ dims: kernel.dims, reduceDims: kernel.reduceDims.map((d, i) => (i === dim - outputs ? n : d)), accumulators, outputs: written, stores });
  const rest = size - (count - 1) * chunk;
  const results = combined.map((c) => c.result);
  return {
    count, whole: piece(chunk), last: rest === chunk ? undefined : piece(rest), views: maker.views, chunk, partials,
    combine: { dims: kernel.dims, reduceDims: [count], accumulators: combined.map((c) => c.accumulate), outputs: kernel.outputs.map((o) => ({ ...o, value: substitute(o.value, results) })) },
  };
}

/** Results in the place of accumulators. */
const substitute = (e: Expr, results: readonly Expr[]): Expr => rewrite(e, (x) => (x.op === "accumulator" ? results[x.i] : undefined));
