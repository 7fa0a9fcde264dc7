import type { DType } from "../../../../base/dtype.js";
import { isFloat } from "../../../../base/dtype.js";
import { contiguousStrides, sizeOf } from "../../../../base/shape.js";
import { accumulator, type Affine, binary, type BinaryFn, bitcast, type BufferId, constant, type Expr, load, select } from "../../../../kernel/expr.js";
import type { Accumulate, BufferInfo, KernelOutput, ReduceOp } from "../../../../kernel/schedule.js";

/** More blocks than this are added up with compensation. */
const plainBlocks = 512;

/** A row of values: after the first block, and after another one. */
interface Row {
  readonly dtype: DType;
  readonly first: Expr;
  readonly next: (before: Expr) => Expr;
}

/** Results of a reduction that goes on block by block: rows of values, one for each output, in buffers with ids from `firstRow`. */
export class RunningRows {
  /** What is reduced within a block. */
  readonly accumulators: Accumulate[] = [];
  private readonly rows: Row[] = [];
  /** Extrema of the bits of float32 values, for max and min alike. */
  private readonly parts = new Map<Expr, readonly [signed: Expr, least: Expr, greatest: Expr]>();

  /** @param start where a block begins, as an index expression; the first begins at 0. */
  constructor(private readonly dims: readonly number[], private readonly blocks: number, private readonly start: Expr, private readonly firstRow: BufferId) {}

  get buffers(): BufferInfo[] {
    return this.rows.map(({ dtype }) => ({ dtype, size: sizeOf(this.dims) }));
  }

  private get index(): Affine { return { offset: 0, strides: contiguousStrides(this.dims) }; }

  private write(value: (row: Row, before: Expr) => Expr): KernelOutput[] {
    return this.rows.map((row, i) => ({ buffer: this.firstRow + i, index: this.index, value: value(row, this.read(i)) }));
  }
  /** What the first block writes. */
  get first(): KernelOutput[] { return this.write((row) => row.first); }
  /** What another block writes. */
  get next(): KernelOutput[] { return this.write((row, before) => row.next(before)); }

  private read(i: number): Expr {
    return load(this.rows[i]!.dtype, this.firstRow + i, this.index);
  }

  private row(row: Row): Expr {
    return this.read(this.rows.push(row) - 1);
  }

  private within(op: ReduceOp, value: Expr): Expr {
    return accumulator(value.dtype, this.accumulators.push({ op, dtype: value.dtype, value }) - 1);
  }

  private reduced(op: ReduceOp, value: Expr): Expr {
    const x = this.within(op, value);
    return this.row({ dtype: value.dtype, first: x, next: (before) => binary(op as BinaryFn, before, x) });
  }

  /** Adds a reduction. Its result after all blocks; of a search, where the block begins that has the extremum. */
  add({ op, value }: Accumulate): Expr {
    const { dtype } = value;
    if (op === "argmax" || op === "argmin") return this.search(op === "argmax", value);
    if ((op === "max" || op === "min") && dtype === "float32") {
      const bits = bitcast("uint32", value);
      const parts = this.parts.get(value) ?? [this.reduced("max", bitcast("int32", value)), this.reduced("min", bits), this.reduced("max", bits)] as const;
      this.parts.set(value, parts);
      return fromBits(op === "max", ...parts);
    }
    return op === "add" && isFloat(dtype) && this.blocks > plainBlocks ? this.compensated(value) : this.reduced(op, value);
  }

  /** Kahan 1965, as `Reduction` has it. */
  private compensated(value: Expr): Expr {
    const { dtype } = value;
    const x = this.within("add", value);
    const at = this.rows.length;
    const total = this.row({ dtype, first: x, next: (sum) => next(sum, this.read(at + 1)).sum });
    const next = (sum: Expr, lost: Expr): { sum: Expr; lost: Expr } => {
      const y = binary("sub", x, lost);
      const t = binary("add", sum, y);
      return { sum: t, lost: binary("sub", binary("sub", t, sum), y) };
    };
    this.row({
      dtype, first: constant(dtype, 0),
      next: (lost) => {
        // Infinite sums lose NaN: start the compensation at 0 again.
        const l = next(this.read(at), lost).lost;
        return select(binary("eq", l, l), l, constant(dtype, 0));
      },
    });
    return total;
  }

  private search(isMax: boolean, value: Expr): Expr {
    const { dtype } = value;
    const x = this.within(isMax ? "max" : "min", value);
    const at = this.rows.length;
    const better = (best: Expr): Expr => {
      const further = binary(isMax ? "gt" : "lt", x, best);
      return isFloat(dtype) ? binary("or", further, binary("and", binary("ne", x, x), binary("eq", best, best))) : further;
    };
    this.row({ dtype, first: x, next: (best) => select(better(best), x, best) });
    return this.row({ dtype: "int32", first: constant("int32", 0), next: (start) => select(better(this.read(at)), this.start, start) });
  }
}

/** The maximum or minimum of floats from the extrema of their bits, as `Extremum` has them. */
function fromBits(isMax: boolean, signed: Expr, least: Expr, greatest: Expr): Expr {
  const negative = (bits: Expr): Expr => binary("lt", bitcast("int32", bits), constant("int32", 0));
  const bits = isMax ? select(negative(signed), least, bitcast("uint32", signed)) : select(negative(greatest), greatest, least);
  const nan = binary("or", binary("gt", signed, constant("int32", 0x7f800000)), binary("gt", greatest, constant("uint32", 0xff800000)));
  return select(nan, constant("float32", NaN), bitcast("float32", bits));
}
