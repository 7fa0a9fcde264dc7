import { isFloat, itemsize } from "../../../../base/dtype.js";
import type { DType } from "../../../../base/dtype.js";
import { operands } from "../../../../kernel/expr.js";
import type { ArithmeticFn, Expr, UnaryFn } from "../../../../kernel/expr.js";
import type { KernelOutput } from "../../../../kernel/schedule.js";
import type { Local } from "../../assembler/index.js";
import type { FloatDType } from "../../functions/contract.js";
import { callOfPair, emitElementary, goesInPlace, inlineLockstep } from "../../functions/index.js";
import type { Key } from "./held-locals.js";
import { loadLanes } from "./lane-loads.js";
import { laneStride } from "./lane-stride.js";
import { findPairs, type Pair } from "./pairs.js";
import { scalarBinary } from "./scalar.js";
import { ScalarValues } from "./scalar-values.js";
import { extractLane, isElementary, isNativeBinary, isNativeUnary, replaceLane, splat, vectorBinary, vectorCast, vectorConst, vectorLoad, vectorSelect, vectorShift, vectorUnary } from "./vector.js";
import type { Lanes } from "./vector.js";

/** Emits scalar expressions as code, one lane or a vector of lanes at a time. */
export class Values extends ScalarValues {
  /** Copies whose elementary functions are computed in lockstep; undefined for all. */
  together: readonly number[] | undefined;
  private guards = 0;

  /** Gives the current scope a local with the vector of one copy. */
  give(e: Expr, copy: number, local: Local): void {
    this.held.give(e, { kind: "vector", copy }, local);
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

  /**
   * Whether elementary functions had better not branch. TurboFan, which has no relaxed SIMD, loads what it keeps in registers anew behind a branch, and
   * moves what is used behind it there, away from what it would overlap with.
   */
  private readonly straight = !this.library.relaxed && [...this.dependence.keys()].filter(isElementary).length > 1;

  private readonly pairs = new Map<Expr, Pair>();

  override register(roots: readonly Expr[], outputs: readonly KernelOutput[]): void {
    super.register(roots, outputs);
    for (const [e, pair] of findPairs(roots)) this.pairs.set(e, pair);
  }

  /** Pushes an elementary function's value; those of the other vectors, and what it shares its work with, are computed along with it. */
  private elementary(e: Expr & { op: "unary" | "binary" }, name: UnaryFn | ArithmeticFn, dtype: FloatDType): boolean {
    const { f } = this;
    const copies = this.together ?? this.copyOffsets.map((_, copy) => copy);
    const pair = this.pairs.get(e);
    if (this.guards > 0 || !this.alongCopies(e) || !goesInPlace(f, name) || (copies.length < 2 && !pair)) return false;
    const args = copies.map((copy): Local[] => {
      const locals: Local[] = [];
      this.atCopy(copy, () => {
        for (const x of pair ? [pair.argument] : operands(e)) {
          this.vector(x);
          const local = f.local("v128");
          f.set(local);
          locals.push(local);
        }
      });
      return locals;
    });
    const group: Pair["members"] = pair?.members.filter((m) => this.find(m.e, true) === undefined) ?? [{ e, application: { name } }];
    // The arguments may have filled the function with code.
    const results = pair || goesInPlace(f, name) ? inlineLockstep(f, this.library, group.map((m) => m.application), dtype, args, this.straight) : [args.map((locals) => {
      for (const local of locals) f.get(local);
      emitElementary(f, this.library, name, dtype);
      const local = f.local("v128");
      f.set(local);
      return local;
    })];
    for (const locals of args) for (const local of locals) f.release(local);
    results.forEach((values, k) => { values.forEach((local, i) => { this.give(group[k]!.e, copies[i]!, local); }); });
    f.get(results[group.findIndex((m) => m.e === e)]![copies.indexOf(this.copy)]!);
    return true;
  }

  /** The bits are those of the vectors. */
  protected override scalarUnary(e: Expr & { op: "unary" }): void {
    const { f } = this;
    const pair = this.pairs.get(e);
    if (!pair) {
      super.scalarUnary(e);
      return;
    }
    this.scalar(pair.argument);
    f.op("f32x4.splat");
    this.callOfPair(e, pair);
    f.lane("f32x4.extract_lane", 0);
  }

  private callOfPair(e: Expr, { members }: Pair): void {
    callOfPair(this.f, this.library, members.find((m) => m.e === e)!.application, "float32");
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
          this.vectorUnary(e);
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
    const access = this.access(e);
    loadLanes(this.f, e.dtype, this.lanes as Lanes, e.index.strides[this.laneDim]!, (bytes) => this.inductions.pushAddress(access, bytes));
  }

  private vectorUnary(e: Expr & { op: "unary" }): void {
    const pair = this.pairs.get(e);
    this.vector(pair?.argument ?? e.x);
    if (pair) this.callOfPair(e, pair);
    else vectorUnary(this.f, this.library, e.fn, e.x.dtype, this.lanes as Lanes);
  }

  private vectorBinary(e: Expr & { op: "binary" }): void {
    const { f } = this;
    const dtype = e.a.dtype;
    // A number that is neither 0 nor NaN leaves the order of zeros and the place of NaN no question: one instruction instead of seven.
    if ((e.fn === "max" || e.fn === "min") && isFloat(dtype)) {
      const bound = [e.a, e.b].find((x) => x.op === "const" && Math.abs(dtype === "float32" ? Math.fround(x.value) : x.value) > 0);
      if (bound) {
        this.vector(bound === e.b ? e.a : e.b);
        this.vector(bound);
        f.op(`${dtype === "float64" ? "f64x2" : "f32x4"}.p${e.fn}`);
        return;
      }
    }
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
