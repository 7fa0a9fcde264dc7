import type { DType, TypedArray } from "../base/dtype.js";
import { contiguousStrides, range, type Shape, sizeOf } from "../base/shape.js";
import { type Aval, type ConstantValue, formatAval } from "../ir/aval.js";
import { type AnyPrimitive, getRule, ruleKind } from "../ir/primitive.js";
import { type Atom, Literal, type Program, type Var } from "../ir/program.js";
import { accumulator, type Affine, type BufferId, constant, type Expr, load } from "../kernel/expr.js";
import { type BufferInfo, type Kernel, longestLoop, type ReduceOp, type Step } from "../kernel/schedule.js";
import { comparisons, ordinaryDiagonals, storeDiagonals, sumDiagonals, writeDiagonals } from "./diagonal-kernels.js";
import { isDiagonal } from "./diagonals.js";
import { axisIndex, cost, fromBuffer, type Lazy, nodesAtMost, view } from "./lazy.js";
import { hasStructural } from "./structural-zeros.js";
import { reindex } from "../kernel/reindex.js";
import { simplifyKernel } from "./simplify.js";
import { BackendError, ProgramError } from "../base/errors.js";

/**
 * How a primitive becomes loops: from lazy inputs to lazy outputs. Elementwise operations extend the expression, views
 * change its indices, reductions and routines emit steps through `ctx`.
 */
export type LowerRule<P> = (ctx: Lowering, inputs: readonly Lazy[], params: P, outputs: readonly Aval[]) => readonly Lazy[];
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- one slot for rules of every params type
export const lowerRule = ruleKind<LowerRule<any>>("lower");

const maxNodes = 256;
const maxDiagonalNodes = 64;

/** Writes a Schedule while values stay lazy as long as that is cheaper than a buffer. */
export class Lowering {
  readonly buffers: BufferInfo[] = [];
  readonly constants: { buffer: BufferId; data: TypedArray }[] = [];
  #steps: Step[] = [];
  /** Buffers made for lazy values, by block: what one branch computed is not there for another. */
  #made: Map<Expr, BufferId>[] = [new Map()];
  /** Whether any value has structural zeros: programs without pay nothing for them. */
  #structured = false;

  get steps(): readonly Step[] { return this.#steps; }

  newBuffer(dtype: DType, size: number): BufferId {
    this.buffers.push({ dtype, size });
    return this.buffers.length - 1;
  }
  emit(step: Step): void { this.#steps.push(step); }

  /** Steps emitted by `f`, as the body of a loop or branch. */
  block<T>(f: () => T): { steps: Step[]; result: T } {
    const outer = this.#steps;
    this.#steps = [];
    this.#made.push(new Map());
    try {
      const result = f();
      return { steps: this.#steps, result };
    } finally {
      this.#steps = outer;
      this.#made.pop();
    }
  }

  constant(value: ConstantValue): Lazy {
    if (value.shape.length === 0) return { shape: [], dtype: value.dtype, expr: constant(value.dtype, value.data[0]!) };
    const buffer = this.newBuffer(value.dtype, sizeOf(value.shape));
    this.constants.push({ buffer, data: value.data });
    return fromBuffer(buffer, value.shape, value.dtype);
  }

  /** A whole row-major buffer with these elements, computing them now if need be. */
  buffer(x: Lazy): BufferId {
    const whole = this.#wholeBuffer(x);
    if (whole !== undefined) return whole;
    for (const made of this.#made) {
      const found = made.get(x.expr);
      if (found !== undefined && this.buffers[found]!.size === sizeOf(x.shape)) return found;
    }
    const id = this.newBuffer(x.dtype, sizeOf(x.shape));
    this.write(x, id);
    this.#made.at(-1)!.set(x.expr, id);
    return id;
  }
  #wholeBuffer(x: Lazy): BufferId | undefined {
    const e = x.expr;
    if (e.op !== "load" || e.base || e.index.offset !== 0 || this.buffers[e.buffer]!.size !== sizeOf(x.shape)) return undefined;
    const strides = contiguousStrides(x.shape);
    return x.shape.every((n, d) => n === 1 || e.index.strides[d] === strides[d]) ? e.buffer : undefined;
  }
  /** True for a value that is a whole row-major buffer already. */
  isWhole(x: Lazy): boolean { return this.#wholeBuffer(x) !== undefined; }
  /** The value, in a buffer of its own if it was not in one. */
  materialize(x: Lazy): Lazy {
    return fromBuffer(this.buffer(x), x.shape, x.dtype);
  }
  /** True where recomputing `x` at each use costs less than a trip through memory. */
  cheap(x: Lazy): boolean {
    const { work, nodes } = cost(x.expr);
    return work <= 2 && nodes < 16;
  }

  /** A value with structural zeros, which later steps may look for. */
  structured(x: Lazy): Lazy {
    this.#structured = true;
    return x;
  }
  /** True for a value that some structural zero is part of. */
  hasStructure(x: Lazy): boolean { return this.#structured && hasStructural(x.expr); }
  /** True for a value that is structurally zero off some diagonals. */
  isDiagonal(x: Lazy): boolean { return this.#structured && isDiagonal(x); }
  /** The value with ordinary zeros in place of structural ones. */
  ordinary(x: Lazy): Lazy { return this.#structured && hasStructural(x.expr) ? ordinaryDiagonals(x) : x; }
  /** A value that is structurally zero off a few diagonals, with these stored if they are dear; undefined for others. */
  #diagonals(x: Lazy): Lazy | undefined {
    return this.#structured && hasStructural(x.expr) ? storeDiagonals(this, x) : undefined;
  }

  /** Writes `x` into a region of a buffer: element i goes to `index(i) + base`. */
  write(x: Lazy, buffer: BufferId, index: Affine = { offset: 0, strides: contiguousStrides(x.shape) }, base?: Expr): void {
    if (this.#structured && writeDiagonals(this, x, buffer, index, base)) return;
    this.kernel({ dims: x.shape, reduceDims: [], accumulators: [], outputs: [{ buffer, index, base, value: this.#structured ? comparisons(x.expr) : x.expr }] });
  }

  kernel(kernel: Kernel): void {
    if (sizeOf(kernel.dims) === 0) return;
    const positions = kernel.accumulators.some((a) => a.op === "argmax" || a.op === "argmin") ? [sizeOf(kernel.reduceDims)] : [];
    for (const n of [...kernel.dims, ...kernel.reduceDims, ...positions])
      if (n > longestLoop) throw new BackendError({ fn: "lowering", expected: `axes of at most ${longestLoop} elements`, got: String(n), fix: "work on smaller pieces" });
    this.emit({ kind: "kernel", kernel: simplifyKernel(kernel) });
  }

  /** Reduces axes away; the result is in a buffer, unless it is structurally zero off a few diagonals. */
  reduce(x: Lazy, axes: readonly number[], op: ReduceOp, dtype: DType): Lazy {
    const few = op === "add" ? this.sumOfDiagonals(x, axes) : undefined;
    if (few) return few;
    const dims = x.shape.filter((_, d) => !axes.includes(d));
    const out = this.newBuffer(dtype, sizeOf(dims));
    this.#reduceTo(x, axes, op, dtype, out, { offset: 0, strides: contiguousStrides(dims) });
    return fromBuffer(out, dims, dtype);
  }

  /** Sums over axes, into a region of a buffer: element i of what is left goes to `index(i)`. */
  sumInto(x: Lazy, axes: readonly number[], buffer: BufferId, index: Affine): void {
    const few = this.sumOfDiagonals(x, axes);
    if (few) this.write(few, buffer, index);
    else this.#reduceTo(x, axes, "add", x.dtype, buffer, index);
  }

  #reduceTo(x: Lazy, axes: readonly number[], op: ReduceOp, dtype: DType, buffer: BufferId, index: Affine): void {
    const kept = range(x.shape.length).filter((d) => !axes.includes(d));
    const ndim = x.shape.length;
    const order = [...kept, ...axes];
    const subst = range(ndim).map((d) => axisIndex(ndim, order.indexOf(d)));
    const value = reindex(this.#structured ? comparisons(x.expr) : x.expr, subst, ndim);
    this.kernel({
      dims: kept.map((d) => x.shape[d]!),
      reduceDims: axes.map((d) => x.shape[d]!),
      accumulators: [{ op, dtype, value }],
      outputs: [{ buffer, index, value: accumulator(dtype, 0) }],
    });
  }

  /** The sum over axes of a value that is structurally zero off a few diagonals, from these alone. */
  sumOfDiagonals(x: Lazy, axes: readonly number[]): Lazy | undefined { return this.isDiagonal(x) ? sumDiagonals(this, x, axes) : undefined; }

  /** Calls a routine on whole buffers. */
  routine(name: string, inputs: readonly Lazy[], outputs: readonly { shape: Shape; dtype: DType }[], params: object): Lazy[] {
    const ins = inputs.map((x) => ({ buffer: this.buffer(x), shape: x.shape, dtype: x.dtype }));
    const outs = outputs.map((o) => ({ buffer: this.newBuffer(o.dtype, sizeOf(o.shape)), shape: o.shape, dtype: o.dtype }));
    if (outs.some((o) => sizeOf(o.shape) > 0)) this.emit({ kind: "routine", name, params, inputs: ins, outputs: outs });
    return outs.map((o) => fromBuffer(o.buffer, o.shape, o.dtype));
  }

  copy(from: BufferId, to: BufferId, options: { fromBase?: Expr; toBase?: Expr; count?: number } = {}): void {
    const count = options.count ?? this.buffers[to]!.size;
    if (count > 0) this.emit({ kind: "copy", from, fromBase: options.fromBase, to, toBase: options.toBase, count });
  }

  /** The value of a scalar, as an expression for bases and counters. */
  scalar(x: Lazy): Expr {
    const kept = this.cheap(x) ? x : this.materialize(x);
    return reindex(kept.expr, kept.shape.map(() => ({ offset: 0, strides: [] })), 0);
  }

  /** Lowers a nested Program on lazy inputs. */
  program(program: Program, inputs: readonly Lazy[]): Lazy[] {
    const env = new Map<Var, Lazy>();
    const uses = countUses(program);
    program.inputs.forEach((v, i) => env.set(v, inputs[i]!));
    for (const c of program.constants) env.set(c.variable, this.constant(c.value));
    const read = (a: Atom): Lazy => (a instanceof Literal ? literal(a) : env.get(a)!);
    for (const e of program.equations) {
      const types = e.outputs.map((v) => v.aval);
      const outs = getRule(e.primitive as AnyPrimitive, lowerRule)(this, e.inputs.map(read), e.params, types);
      e.outputs.forEach((v, i) => {
        const x = outs[i]!;
        if (x.dtype !== v.aval.dtype || sizeOf(x.shape) !== sizeOf(v.aval.shape))
          throw new ProgramError({ fn: `lowering of ${e.primitive.name}`, expected: formatAval(v.aval), got: `${x.dtype}[${x.shape.join(",")}]`, fix: "correct the primitive's lowering rule" });
        env.set(v, this.#keepOrStore(x, uses.get(v) ?? 0));
      });
    }
    return program.outputs.map(read);
  }
  #keepOrStore(x: Lazy, uses: number): Lazy {
    if (sizeOf(x.shape) === 0 || (uses <= 1 && nodesAtMost(x.expr) <= maxNodes)) return x;
    const { work, nodes } = cost(x.expr);
    if (!(nodes > maxNodes || (uses > 1 && (work > 2 || nodes > 24)))) return x;
    // On a few diagonals there is little to compute twice.
    if (nodes <= maxDiagonalNodes && work < 20 && this.isDiagonal(x)) return x;
    return this.#diagonals(x) ?? this.materialize(x);
  }

  /** Prepares a value for use inside a loop or by many readers: in a buffer unless it is cheap to recompute. */
  settle(x: Lazy): Lazy {
    return this.cheap(x) ? x : (this.#diagonals(x) ?? this.materialize(x));
  }

  /** Broadcasting repeats an expression's work for every copy: store it first unless it is cheap. */
  expand(x: Lazy, shape: Shape, dims: readonly number[]): Lazy {
    const grows = sizeOf(shape) > sizeOf(x.shape);
    const source = grows ? this.settle(x) : x;
    return view(source, shape, source.shape.map((n, d) => (n === 1 && shape[dims[d]!] !== 1 ? { offset: 0, strides: shape.map(() => 0) } : axisIndex(shape.length, dims[d]!))));
  }
}

const literal = (a: Literal): Lazy => ({ shape: [], dtype: a.aval.dtype, expr: constant(a.aval.dtype, Number(a.value)) });

function countUses(program: Program): Map<Var, number> {
  const uses = new Map<Var, number>();
  const count = (a: Atom) => a.kind === "var" && uses.set(a, (uses.get(a) ?? 0) + 1);
  for (const e of program.equations) e.inputs.forEach(count);
  program.outputs.forEach(count);
  return uses;
}

export const scalarLoad = (buffer: BufferId, dtype: DType): Expr => load(dtype, buffer, { offset: 0, strides: [] });
