import { isFloat, itemsize } from "../../../base/dtype.js";
import type { DType } from "../../../base/dtype.js";
import { operands } from "../../../kernel/expr.js";
import type { ArithmeticFn, Bound, Expr, UnaryFn } from "../../../kernel/expr.js";
import type { KernelOutput } from "../../../kernel/schedule.js";
import type { FunctionBuilder, Local } from "../assembler/index.js";
import type { FloatDType, FunctionLibrary } from "../functions/contract.js";
import { emitElementary, goesInPlace, inlineLockstep } from "../functions/index.js";
import type { Access, Inductions } from "./induction.js";
import { laneStride } from "./lane-stride.js";
import { scalarBinary, scalarBitcast, scalarCast, scalarConst, scalarLoad, scalarType, scalarUnary } from "./scalar.js";
import { extractLane, isNativeBinary, isNativeUnary, replaceLane, splat, vectorBinary, vectorCast, vectorConst, vectorLoad, vectorSelect, vectorShift, vectorUnary } from "./vector.js";
import type { Lanes } from "./vector.js";

type Key = Expr | Bound;

/** Values held in locals within one block of code. */
interface Scope {
  /** By copy, as the other two. */
  readonly scalars: Map<Key, Local>[];
  /** All lanes equal. */
  readonly splats: Map<Key, Local>[];
  readonly vectors: Map<Key, Local>[];
  readonly owned: Local[];
}

const emptyScope = (): Scope => ({ scalars: [], splats: [], vectors: [], owned: [] });

/** Results of the accumulators, ready for the outputs: by copy, then by accumulator. */
export interface Results {
  readonly vector: boolean;
  readonly locals: readonly (readonly Local[])[];
}

/** Emits scalar expressions as code, one lane or a vector of lanes at a time; what is used twice is computed once. */
export class Values {
  private readonly scopes: Scope[] = [emptyScope()];
  private readonly uses = new Map<Expr, number>();
  private readonly accesses = new Map<Key | KernelOutput, Access>();
  /** The vector that is being written, and where all of them lie along the dimension of copies. */
  copy = 0;
  copyOffsets: readonly number[] = [0];
  /** Copies whose elementary functions are computed in lockstep; undefined for all. */
  together: readonly number[] | undefined;
  private guards = 0;
  /** Off while the scalar remainder of a vector loop is written. */
  vectorized: boolean;
  results: Results | undefined;

  constructor(
    readonly f: FunctionBuilder,
    readonly library: FunctionLibrary,
    readonly inductions: Inductions,
    private readonly dependence: ReadonlyMap<Expr, number>,
    readonly lanes: 1 | Lanes,
    readonly laneDim: number,
    /** The dimension along which the vectors lie that are computed at once. */
    private readonly copyDim = laneDim,
  ) {
    this.vectorized = lanes > 1;
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
    const scope = emptyScope();
    this.scopes.push(scope);
    body();
    this.scopes.pop();
    for (const l of scope.owned) this.f.release(l);
  }

  alongLanes(e: Expr): boolean {
    return this.vectorized && (this.dependence.get(e)! & (1 << this.laneDim)) !== 0;
  }

  private mapOf(scope: Scope, e: Key, vector: boolean): Map<Key, Local> {
    const along = "op" in e && this.alongLanes(e);
    const list = !vector ? scope.scalars : along ? scope.vectors : scope.splats;
    // Along the lanes scalars are those of the first copy.
    const copy = "op" in e && (this.copyDim === this.laneDim ? vector && along : this.alongCopies(e)) ? this.copy : 0;
    return (list[copy] ??= new Map());
  }

  private alongCopies(e: Expr): boolean {
    return (this.dependence.get(e)! & (1 << this.copyDim)) !== 0;
  }

  /** Gives the current scope a local with the vector of one copy. */
  give(e: Expr, copy: number, local: Local): void {
    const scope = this.scopes.at(-1)!;
    scope.owned.push(local);
    (scope.vectors[copy] ??= new Map()).set(e, local);
  }

  private find(e: Key, vector: boolean): Local | undefined {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const local = this.mapOf(this.scopes[i]!, e, vector).get(e);
      if (local !== undefined) return local;
    }
    return undefined;
  }

  /** Puts a value into a local of the current scope, unless one holds it. */
  hold(e: Key, vector: boolean): void {
    if (this.find(e, vector) !== undefined) return;
    if (!("op" in e)) this.bound(e);
    else if (vector) this.vector(e, true);
    else this.scalar(e, true);
    if (this.find(e, vector) === undefined) this.keep(e, vector, "op" in e ? e.dtype : "bool");
    this.f.op("drop");
  }

  private keep(e: Key, vector: boolean, dtype: DType): void {
    const scope = this.scopes.at(-1)!;
    const local = this.f.local(vector ? "v128" : scalarType(dtype));
    scope.owned.push(local);
    this.mapOf(scope, e, vector).set(e, local);
    this.f.tee(local);
  }

  private shared(e: Expr): boolean {
    return this.uses.get(e)! > 1;
  }

  /** Pushes whether a bound holds. */
  private bound(b: Bound): void {
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

  private bounds(list: readonly Bound[]): void {
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
      case "unary":
        this.scalar(e.x);
        scalarUnary(f, this.library, e.fn, e.x.dtype);
        break;
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

  /** Element index on the stack to the element. */
  private gathered(e: Expr & { op: "gather" }): void {
    const { f } = this;
    const size = itemsize(e.dtype);
    if (size > 1) f.i32(Math.log2(size)).op("i32.shl");
    const offset = this.inductions.pushAddress(this.access(e));
    f.op("i32.add").memory(scalarLoad(e.dtype), offset);
  }

  /** Emits for another of the vectors side by side. */
  private atCopy(copy: number, body: () => void): void {
    const { copy: before, copyOffsets, inductions, copyDim } = this;
    const distance = copyOffsets[copy]! - copyOffsets[before]!;
    inductions.shift(copyDim, distance);
    this.copy = copy;
    body();
    this.copy = before;
    inductions.shift(copyDim, -distance);
  }

  /** Pushes an elementary function's value; those of the other vectors are computed along with it. */
  private elementary(e: Expr & { op: "unary" | "binary" }, fn: UnaryFn | ArithmeticFn, dtype: FloatDType): boolean {
    const { f } = this;
    const copies = this.together ?? this.copyOffsets.map((_, copy) => copy);
    if (copies.length < 2 || this.guards > 0 || !this.alongCopies(e) || !goesInPlace(f, fn)) return false;
    const args = copies.map((copy): Local[] => {
      const locals: Local[] = [];
      this.atCopy(copy, () => {
        for (const x of operands(e)) {
          this.vector(x);
          const local = f.local("v128");
          f.set(local);
          locals.push(local);
        }
      });
      return locals;
    });
    // The arguments may have filled the function with code.
    const results = goesInPlace(f, fn) ? inlineLockstep(f, this.library, fn, dtype, args) : args.map((locals) => {
      for (const local of locals) f.get(local);
      emitElementary(f, this.library, fn, dtype);
      const local = f.local("v128");
      f.set(local);
      return local;
    });
    for (const locals of args) for (const local of locals) f.release(local);
    results.forEach((local, i) => { this.give(e, copies[i]!, local); });
    f.get(results[copies.indexOf(this.copy)]!);
    return true;
  }

  /** Pushes the values of all lanes. */
  vector(e: Expr, held = false): void {
    const { f } = this;
    const lanes = this.lanes as Lanes;
    const local = e.op === "accumulator" && this.results!.vector ? this.results!.locals[this.copy]![e.i]! : this.find(e, true);
    if (local !== undefined) {
      f.get(local);
      return;
    }
    if (e.op === "const") vectorConst(f, e.dtype, e.value);
    else if (!this.alongLanes(e)) {
      this.scalar(e);
      splat(f, e.dtype);
    } else
      switch (e.op) {
        case "load": this.loadLanes(e); break;
        case "gather":
          if (laneStride(e.at, this.laneDim, this.dependence) === 1) this.gatherNeighbours(e);
          else this.laneByLane(e.dtype, [e.at], () => this.gathered(e));
          break;
        case "index": {
          const stride = e.index.strides[this.laneDim]!;
          this.inductions.pushIndex(this.access(e));
          f.op("i32x4.splat").i32x4(0, stride, 2 * stride, 3 * stride).op("i32x4.add");
          break;
        }
        case "unary":
          if (isFloat(e.x.dtype) && !isNativeUnary(e.fn, e.x.dtype) && this.elementary(e, e.fn, e.x.dtype as FloatDType)) return;
          this.vector(e.x);
          vectorUnary(f, this.library, e.fn, e.x.dtype, lanes);
          break;
        case "binary":
          if (isFloat(e.a.dtype) && !isNativeBinary(e.fn, e.a.dtype) && this.elementary(e, e.fn as ArithmeticFn, e.a.dtype as FloatDType)) return;
          this.vectorBinary(e);
          break;
        case "select":
          this.vector(e.a);
          this.vector(e.b);
          this.vector(e.condition);
          vectorSelect(f, e.dtype, lanes);
          break;
        case "guard":
          this.bounds(e.bounds);
          this.guards++;
          f.if(() => this.inScope(() => this.vector(e.inside)), () => this.inScope(() => this.vector(e.outside)), "v128");
          this.guards--;
          break;
        case "cast":
          this.vector(e.x);
          vectorCast(f, e.x.dtype, e.dtype, lanes);
          break;
        case "bitcast": this.vector(e.x); break;
        case "accumulator": throw new Error("an accumulator along lanes is in a local");
      }
    if (held || (this.shared(e) && e.op !== "const")) this.keep(e, true, e.dtype);
  }

  /** Elements that lie side by side: the address is that of the first lane, which no other vector may take for its own. */
  private gatherNeighbours(e: Expr & { op: "gather" }): void {
    const { f } = this;
    this.inScope(() => this.scalar(e.at));
    const size = itemsize(e.dtype);
    if (size > 1) f.i32(Math.log2(size)).op("i32.shl");
    const offset = this.inductions.pushAddress(this.access(e));
    f.op("i32.add");
    vectorLoad(f, e.dtype, this.lanes as Lanes, offset);
  }

  private loadLanes(e: Expr & { op: "load" }): void {
    const { f } = this;
    const lanes = this.lanes as Lanes;
    const stride = e.index.strides[this.laneDim]!;
    const access = this.access(e);
    if (stride === 1) {
      vectorLoad(f, e.dtype, lanes, this.inductions.pushAddress(access));
      return;
    }
    const size = itemsize(e.dtype);
    if ((stride === 2 || stride === -1) && size * lanes === 16) {
      // Whole vectors whose elements are all between the first and the last that are wanted.
      f.memory("v128.load", this.inductions.pushAddress(access, stride === 2 ? 0 : (1 - lanes) * size));
      if (stride === 2) f.memory("v128.load", this.inductions.pushAddress(access, (lanes - 1) * size));
      else f.i32x4(0);
      if (lanes === 4 && stride === 2) f.shuffle32(0, 2, 5, 7);
      else if (lanes === 4) f.shuffle32(3, 2, 1, 0);
      else if (stride === 2) f.shuffle64(0, 3);
      else f.shuffle64(1, 0);
      return;
    }
    f.i32x4(0);
    for (let l = 0; l < lanes; l++) {
      const offset = this.inductions.pushAddress(access, l * stride * size);
      f.memory(scalarLoad(e.dtype), offset);
      replaceLane(f, e.dtype, lanes, l);
    }
  }

  private vectorBinary(e: Expr & { op: "binary" }): void {
    const { f } = this;
    const dtype = e.a.dtype;
    const shift = vectorShift[e.fn];
    if (shift && e.b.op === "const" && e.b.value >= 0 && e.b.value < 32) {
      this.vector(e.a);
      f.i32(e.b.value).op(e.fn === "shiftRightArithmetic" && dtype === "uint32" ? "i32x4.shr_u" : shift);
    } else if (isNativeBinary(e.fn, dtype) || ((dtype === "float32" || dtype === "float64") && e.fn !== "nextafter")) {
      this.vector(e.a);
      this.vector(e.b);
      vectorBinary(f, this.library, e.fn, dtype, this.lanes as Lanes);
    } else this.laneByLane(e.dtype, [e.a, e.b], () => scalarBinary(f, this.library, e.fn, dtype));
  }

  /** Takes operands apart, computes each lane by itself, and puts the results together. */
  private laneByLane(dtype: DType, operands: readonly Expr[], scalar: () => void): void {
    const { f } = this;
    const lanes = this.lanes as Lanes;
    const held = operands.map((x) => {
      this.vector(x);
      const local = f.local("v128");
      f.set(local);
      return local;
    });
    f.i32x4(0);
    for (let l = 0; l < lanes; l++) {
      operands.forEach((x, i) => {
        f.get(held[i]!);
        extractLane(f, x.dtype, lanes, l);
      });
      scalar();
      replaceLane(f, dtype, lanes, l);
    }
    for (const local of held) f.release(local);
  }
}
