import { sizeOf } from "../base/shape.js";
import { type Affine, type BufferId, type Expr, rewrite, visitExpr } from "../kernel/expr.js";
import type { BufferInfo, Kernel, KernelOutput, Step } from "../kernel/schedule.js";
import { mapExprs } from "../kernel/traverse.js";

/** What a step does to buffers, its bodies included. */
export interface Effects {
  readonly reads: ReadonlySet<BufferId>;
  readonly writes: ReadonlySet<BufferId>;
  /** Written from the first element to the last, whatever was there before. */
  readonly whole: ReadonlySet<BufferId>;
}

/** True if an output fills a buffer of `size` elements without gaps. */
export function fills(dims: readonly number[], index: Affine, size: number): boolean {
  if (index.offset !== 0 || sizeOf(dims) !== size) return false;
  const axes = dims.map((n, d) => ({ n, stride: index.strides[d] ?? 0 })).filter(({ n }) => n !== 1).sort((a, b) => a.stride - b.stride);
  let step = 1;
  for (const { n, stride } of axes) {
    if (stride !== step) return false;
    step *= n;
  }
  return true;
}

/** The steps within a step. */
export const bodies = (step: Step): (readonly Step[])[] => (step.kind === "for" ? [step.body] : step.kind === "while" ? [step.condition, step.body] : step.kind === "branch" ? [...step.branches] : []);

/** Steps are asked about by each pass over a schedule, and a step stands in one schedule only. */
const known = new WeakMap<Step, Effects>();

export function effects(step: Step, buffers: readonly BufferInfo[]): Effects {
  let found = known.get(step);
  if (!found) known.set(step, (found = effectsOf(step, buffers)));
  return found;
}

function effectsOf(step: Step, buffers: readonly BufferInfo[]): Effects {
  const reads = new Set<BufferId>();
  const writes = new Set<BufferId>();
  const whole = new Set<BufferId>();
  const read = (id: BufferId): void => { reads.add(id); };
  const inside = (s: Step): void => {
    ownAccesses(s, buffers, read, (id) => { writes.add(id); });
    for (const b of bodies(s)) b.forEach(inside);
  };
  ownAccesses(step, buffers, read, (id, all) => {
    writes.add(id);
    if (all()) whole.add(id);
  });
  for (const b of bodies(step)) b.forEach(inside);
  return { reads, writes, whole };
}

const always = (): boolean => true;

/** What a step reads and writes itself, its bodies apart; `whole` says whether it writes from the first element to the last. */
export function ownAccesses(step: Step, buffers: readonly BufferInfo[], read: (id: BufferId) => void, write: (id: BufferId, whole: () => boolean) => void): void {
  const seen = new Set<Expr>();
  const readBy = (e: Expr | undefined): void => { if (e) visitExpr(e, (x) => { if (x.op === "load" || x.op === "gather") read(x.buffer); }, seen); };
  switch (step.kind) {
    case "kernel": {
      const { dims, reduceDims, accumulators, outputs, stores } = step.kernel;
      for (const a of accumulators) readBy(a.value);
      const output = (o: KernelOutput, sizes: () => readonly number[]): void => {
        readBy(o.value);
        readBy(o.base);
        write(o.buffer, () => o.base === undefined && fills(sizes(), o.index, buffers[o.buffer]!.size));
      };
      for (const o of outputs) output(o, () => dims);
      if (stores) for (const o of stores) output(o, () => [...dims, ...reduceDims]);
      break;
    }
    case "routine":
      for (const o of step.inputs) read(o.buffer);
      for (const o of step.outputs) write(o.buffer, always);
      break;
    case "copy":
      read(step.from);
      readBy(step.fromBase);
      readBy(step.toBase);
      write(step.to, () => step.toBase === undefined && step.count === buffers[step.to]!.size);
      break;
    case "for":
      write(step.counter, always);
      read(step.counter);
      break;
    case "while": read(step.predicate); break;
    case "branch": read(step.index); break;
  }
}

const strideOf = (a: Affine, d: number): number => a.strides[d] ?? 0;
const samePlace = (a: Affine, b: Affine, ndim: number): boolean => a.offset === b.offset && Array.from({ length: ndim }, (_, d) => d).every((d) => strideOf(a, d) === strideOf(b, d));

function sameExpr(a: Expr | undefined, b: Expr | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || a.op !== b.op || a.dtype !== b.dtype) return false;
  switch (a.op) {
    case "const": return b.op === "const" && Object.is(a.value, b.value);
    case "load": return b.op === "load" && a.buffer === b.buffer && samePlace(a.index, b.index, Math.max(a.index.strides.length, b.index.strides.length)) && sameExpr(a.base, b.base);
    case "binary": return b.op === "binary" && a.fn === b.fn && sameExpr(a.a, b.a) && sameExpr(a.b, b.b);
    default: return false;
  }
}

/**
 * True if a kernel may write `written` in the memory of `read`, which it reads: it has read all before it writes, or each element is
 * read where it is written and nowhere else.
 */
export function worksInPlace(kernel: Kernel, written: BufferId, read: BufferId): boolean {
  const { accumulators, outputs, stores = [] } = kernel;
  const writes = [...outputs, ...stores].filter((o) => o.buffer === written);
  const [place] = writes;
  if (!place || writes.length > 1) return false;
  const isStore = stores.includes(place);
  if (!isStore && sizeOf(kernel.dims) === 1) return true;
  const ndim = kernel.dims.length + kernel.reduceDims.length;
  let safe = true;
  const anywhere = (e: Expr | undefined) => e && visitExpr(e, (x) => { if ((x.op === "load" || x.op === "gather") && x.buffer === read) safe = false; });
  const there = (e: Expr) => visitExpr(e, (x) => {
    if (x.op === "gather" && x.buffer === read) safe = false;
    if (x.op !== "load") return;
    anywhere(x.base);
    if (x.buffer === read && !(samePlace(x.index, place.index, ndim) && sameExpr(x.base, place.base))) safe = false;
  });
  for (const a of accumulators) (isStore ? there : anywhere)(a.value);
  for (const o of stores) (isStore ? there : anywhere)(o.value);
  for (const o of outputs) (isStore ? anywhere : there)(o.value);
  for (const o of [...outputs, ...stores]) anywhere(o.base);
  return safe;
}

/** The step with one buffer in place of another. */
export function renameBuffer(step: Step, from: BufferId, to: BufferId): Step {
  const id = (b: BufferId): BufferId => (b === from ? to : b);
  const memo = new Map<Expr, Expr>();
  const go = (e: Expr): Expr => rewrite(e, (x) => {
    if (x.op === "load" && x.buffer === from) return { ...x, buffer: to, base: x.base && go(x.base) };
    if (x.op === "gather" && x.buffer === from) return { ...x, buffer: to, at: go(x.at) };
    return undefined;
  }, memo);
  const list = (steps: readonly Step[]): Step[] => steps.map((s) => renameBuffer(s, from, to));
  switch (step.kind) {
    case "kernel": return { ...step, kernel: mapExprs(step.kernel, go, (o) => ({ ...o, buffer: id(o.buffer) })) };
    case "routine": return { ...step, inputs: step.inputs.map((o) => ({ ...o, buffer: id(o.buffer) })), outputs: step.outputs.map((o) => ({ ...o, buffer: id(o.buffer) })) };
    case "copy": return { ...step, from: id(step.from), to: id(step.to), fromBase: step.fromBase && go(step.fromBase), toBase: step.toBase && go(step.toBase) };
    case "for": return { ...step, counter: id(step.counter), body: list(step.body) };
    case "while": return { ...step, predicate: id(step.predicate), condition: list(step.condition), body: list(step.body) };
    case "branch": return { ...step, index: id(step.index), branches: step.branches.map(list) };
  }
}
