import { itemsize } from "../../../../base/dtype.js";
import type { DType } from "../../../../base/dtype.js";
import { operands } from "../../../../kernel/expr.js";
import type { Bound, Expr } from "../../../../kernel/expr.js";
import type { KernelOutput } from "../../../../kernel/schedule.js";
import type { FunctionBuilder, Local } from "../../assembler/index.js";
import type { FunctionLibrary } from "../../functions/contract.js";
import type { Access, Inductions } from "../nest/induction.js";
import { HeldLocals } from "./held-locals.js";
import type { Key, Slot } from "./held-locals.js";
import { scalarBinary, scalarBitcast, scalarCast, scalarConst, scalarLoad, scalarType, scalarUnary } from "./scalar.js";
import type { Lanes } from "./vector.js";

/** Results of the accumulators, ready for the outputs: by copy, then by accumulator. */
export interface Results {
  readonly vector: boolean;
  readonly locals: readonly (readonly Local[])[];
}

/** Emits scalar expressions as code, one lane at a time; what is used twice is computed once. */
export class ScalarValues {
  protected readonly held: HeldLocals;
  private readonly uses = new Map<Expr, number>();
  private readonly accesses = new Map<Key | KernelOutput, Access>();
  /** The vector that is being written, and where all of them lie along the dimension of copies. */
  copy = 0;
  copyOffsets: readonly number[] = [0];
  /** Off while the scalar remainder of a vector loop is written. */
  vectorized: boolean;
  results: Results | undefined;

  constructor(
    readonly f: FunctionBuilder,
    readonly library: FunctionLibrary,
    readonly inductions: Inductions,
    protected readonly dependence: ReadonlyMap<Expr, number>,
    readonly lanes: 1 | Lanes,
    readonly laneDim: number,
    /** The dimension along which the vectors lie that are computed at once. */
    protected readonly copyDim = laneDim,
  ) {
    this.vectorized = lanes > 1;
    this.held = new HeldLocals(f);
  }

  /** Registers the expressions and stores that will be emitted. */
  register(roots: readonly Expr[], outputs: readonly KernelOutput[]): void {
    const seen = new Set<Expr>();
    const count = (e: Expr): void => {
      this.uses.set(e, (this.uses.get(e) ?? 0) + 1);
      if (seen.has(e)) return;
      seen.add(e);
      if (e.op === "load") {
        this.accesses.set(e, this.inductions.access(e.index, e.buffer, e.dtype, e.base));
        return;
      }
      if (e.op === "gather") this.accesses.set(e, this.inductions.access({ offset: 0, strides: [] }, e.buffer, e.dtype));
      else if (e.op === "index") this.accesses.set(e, this.inductions.access(e.index));
      else if (e.op === "guard") for (const b of e.bounds) this.accesses.set(b, this.inductions.access(b.index));
      operands(e).forEach(count);
    };
    roots.forEach(count);
    for (const o of outputs) this.accesses.set(o, this.inductions.access(o.index, o.buffer, o.value.dtype, o.base));
  }

  access(key: Key | KernelOutput): Access {
    return this.accesses.get(key)!;
  }

  inScope(body: () => void): void {
    this.held.inScope(body);
  }

  alongLanes(e: Expr): boolean {
    return this.vectorized && (this.dependence.get(e)! & (1 << this.laneDim)) !== 0;
  }

  protected slot(e: Key, vector: boolean): Slot {
    const along = "op" in e && this.alongLanes(e);
    // Along the lanes scalars are those of the first copy.
    const copy = "op" in e && (this.copyDim === this.laneDim ? vector && along : this.alongCopies(e)) ? this.copy : 0;
    return { kind: !vector ? "scalar" : along ? "vector" : "splat", copy };
  }

  protected alongCopies(e: Expr): boolean {
    return (this.dependence.get(e)! & (1 << this.copyDim)) !== 0;
  }

  protected find(e: Key, vector: boolean): Local | undefined {
    return this.held.find(e, this.slot(e, vector));
  }

  /** Leaves the value on the stack and in a local of the current scope. */
  protected keep(e: Key, vector: boolean, dtype: DType): void {
    const local = this.f.local(vector ? "v128" : scalarType(dtype));
    this.held.give(e, this.slot(e, vector), local);
    this.f.tee(local);
  }

  protected shared(e: Expr): boolean {
    return this.uses.get(e)! > 1;
  }

  /** Pushes whether a bound holds. */
  protected bound(b: Bound): void {
    const { f } = this;
    const held = this.find(b, false);
    if (held !== undefined) {
      f.get(held);
      return;
    }
    this.inductions.pushIndex(this.access(b));
    f.i32(b.lo).op("i32.sub");
    if (b.step === 1) f.i32(b.hi - b.lo).op("i32.lt_u");
    else {
      const t = f.local("i32");
      f.tee(t).i32(b.hi - b.lo).op("i32.lt_u").get(t).i32(b.step).op("i32.rem_u").op("i32.eqz").op("i32.and").release(t);
    }
  }

  protected bounds(list: readonly Bound[]): void {
    list.forEach((b, i) => {
      this.bound(b);
      if (i > 0) this.f.op("i32.and");
    });
  }

  /** Pushes one value. */
  scalar(e: Expr, held = false): void {
    const { f } = this;
    if (e.op === "const") {
      scalarConst(f, e.dtype, e.value);
      return;
    }
    if (e.op === "accumulator") {
      f.get(this.results!.locals[0]![e.i]!);
      return;
    }
    const local = this.find(e, false);
    if (local !== undefined) {
      f.get(local);
      return;
    }
    switch (e.op) {
      case "load": f.memory(scalarLoad(e.dtype), this.inductions.pushAddress(this.access(e))); break;
      case "gather":
        this.scalar(e.at);
        this.gathered(e);
        break;
      case "index": this.inductions.pushIndex(this.access(e)); break;
      case "unary": this.scalarUnary(e); break;
      case "binary":
        this.scalar(e.a);
        this.scalar(e.b);
        scalarBinary(f, this.library, e.fn, e.a.dtype);
        break;
      case "select":
        this.scalar(e.a);
        this.scalar(e.b);
        this.scalar(e.condition);
        f.op("select");
        break;
      case "guard":
        this.bounds(e.bounds);
        f.if(() => this.inScope(() => this.scalar(e.inside)), () => this.inScope(() => this.scalar(e.outside)), scalarType(e.dtype));
        break;
      case "cast":
        this.scalar(e.x);
        scalarCast(f, e.x.dtype, e.dtype);
        break;
      case "bitcast":
        this.scalar(e.x);
        scalarBitcast(f, e.x.dtype, e.dtype);
        break;
    }
    if (this.shared(e) || held) this.keep(e, false, e.dtype);
  }

  protected scalarUnary(e: Expr & { op: "unary" }): void {
    this.scalar(e.x);
    scalarUnary(this.f, this.library, e.fn, e.x.dtype);
  }

  /** Element index on the stack to the element. */
  protected gathered(e: Expr & { op: "gather" }): void {
    const { f } = this;
    const size = itemsize(e.dtype);
    if (size > 1) f.i32(Math.log2(size)).op("i32.shl");
    const offset = this.inductions.pushAddress(this.access(e));
    f.op("i32.add").memory(scalarLoad(e.dtype), offset);
  }
}
