import type { DType } from "../../../../base/dtype.js";
import { isFloat } from "../../../../base/dtype.js";
import type { BinaryFn } from "../../../../kernel/expr.js";
import type { Accumulate } from "../../../../kernel/schedule.js";
import type { Local } from "../../assembler/index.js";
import { identity } from "../../../../kernel/identity.js";
import type { Reducer } from "./reducer.js";
import { scalarBinary, scalarConst, scalarType } from "../values/scalar.js";
import type { Values } from "../values/values.js";
import { extractLane, foldLanes, shapeOf, vectorBinary, vectorConst } from "../values/vector.js";
import type { Lanes } from "../values/vector.js";

/** A compensated total of float sums (Kahan 1965), into which partial sums are folded. */
interface Total {
  readonly sum: Local;
  readonly lost: Local;
}

/**
 * One accumulator of a nest. Vectors side by side have running results of their own, and so has the scalar remainder of a
 * vectorized reduction. Long float sums are folded into a compensated total block by block, which bounds the error by that of a block.
 */
export class Reduction implements Reducer {
  private readonly running: Local[] = [];
  private readonly totals: Total[] = [];
  private remainder: Local | undefined;
  private remainderTotal: Total | undefined;
  private readonly dtype: DType;
  private readonly vector: boolean;

  /**
   * @param acrossLanes the lanes hold parts of one result (the lane dimension is reduced), not results of their own.
   * @param folded whether `fold` will be called.
   */
  constructor(private readonly values: Values, private readonly spec: Accumulate, private readonly acrossLanes: boolean, private readonly folded: boolean) {
    this.dtype = spec.dtype;
    this.vector = values.vectorized;
    if (!(spec.op === "add" && isFloat(spec.dtype))) this.folded = false;
  }

  private get f() { return this.values.f; }
  private get lanes(): Lanes { return this.values.lanes as Lanes; }

  private constant(vector: boolean, x: number): void {
    if (vector) vectorConst(this.f, this.dtype, x);
    else scalarConst(this.f, this.dtype, x);
  }

  private newRunning(vector: boolean): Local {
    const { f } = this;
    const local = f.local(vector ? "v128" : scalarType(this.dtype));
    this.constant(vector, identity(this.spec.op, this.dtype));
    f.set(local);
    return local;
  }

  private newTotal(vector: boolean): Total {
    const { f } = this;
    const [sum, lost] = [0, 0].map(() => {
      const local = f.local(vector ? "v128" : scalarType(this.dtype));
      this.constant(vector, 0);
      f.set(local);
      return local;
    }) as [Local, Local];
    return { sum, lost };
  }

  begin(copies: number, remainder: boolean): void {
    for (let i = 0; i < copies; i++) this.running.push(this.newRunning(this.vector));
    if (remainder) this.remainder = this.newRunning(false);
    if (this.folded) {
      // Copies across lanes are parts of one result and share a total.
      for (let i = 0; i < (this.acrossLanes ? 1 : copies); i++) this.totals.push(this.newTotal(this.vector));
      if (remainder) this.remainderTotal = this.newTotal(false);
    }
  }

  private combine(vector: boolean): void {
    const { f, values, dtype } = this;
    const fn = this.spec.op as BinaryFn;
    if (vector) vectorBinary(f, values.library, fn, dtype, this.lanes);
    else scalarBinary(f, values.library, fn, dtype);
  }

  update(): void {
    const { f, values, spec } = this;
    const vector = values.vectorized;
    const running = this.vector && !vector ? this.remainder! : this.running[values.copy]!;
    f.get(running);
    if (vector) values.vector(spec.value);
    else values.scalar(spec.value);
    this.combine(vector);
    f.set(running);
  }

  /** total += partial, and the partial starts anew. What a finite addition loses is kept for the next. */
  private foldInto(total: Total, vector: boolean, pushPartial: () => void): void {
    const { f } = this;
    const op = (name: "add" | "sub"): void => {
      if (vector) f.op(`${shapeOf(this.dtype) as "f64x2"}.${name}`);
      else f.op(`${scalarType(this.dtype) as "f64"}.${name}`);
    };
    const type = vector ? "v128" : scalarType(this.dtype);
    const y = f.local(type);
    const t = f.local(type);
    pushPartial();
    f.get(total.lost);
    op("sub");
    f.tee(y).get(total.sum);
    op("add");
    f.tee(t).get(total.sum);
    op("sub");
    f.get(y);
    op("sub");
    f.set(total.lost).get(t).set(total.sum);
    // Infinite sums lose NaN: start the compensation at 0 again.
    if (vector) f.get(total.lost).get(total.lost).get(total.lost).op(`${shapeOf(this.dtype) as "f64x2"}.eq`).op("v128.and").set(total.lost);
    else {
      f.get(total.lost);
      scalarConst(f, this.dtype, 0);
      f.get(total.lost).get(total.lost).op(`${scalarType(this.dtype) as "f64"}.eq`).op("select").set(total.lost);
    }
    f.release(y).release(t);
  }

  private reset(running: Local, vector: boolean): void {
    this.constant(vector, 0);
    this.f.set(running);
  }

  /** Ends a block of partial sums. */
  fold(): void {
    if (!this.folded) return;
    const { f } = this;
    if (this.acrossLanes) {
      this.foldInto(this.totals[0]!, this.vector, () => this.pushSumOfCopies());
      this.running.forEach((r) => this.reset(r, this.vector));
    } else
      this.running.forEach((r, i) => {
        this.foldInto(this.totals[i]!, this.vector, () => f.get(r));
        this.reset(r, this.vector);
      });
    if (this.remainder && this.remainderTotal) {
      const { remainder } = this;
      this.foldInto(this.remainderTotal, false, () => f.get(remainder));
      this.reset(remainder, false);
    }
  }

  private pushSumOfCopies(): void {
    this.running.forEach((r, i) => {
      this.f.get(r);
      if (i > 0) this.combine(this.vector);
    });
  }

  /** After the loops: locals of the results by copy, vectors only if lanes hold results of their own. */
  finish(): Local[] {
    const { f } = this;
    if (!this.acrossLanes || !this.vector) {
      if (this.folded) return this.totals.map((t) => t.sum);
      return this.running;
    }
    const whole = f.local("v128");
    if (this.folded) f.get(this.totals[0]!.sum);
    else this.pushSumOfCopies();
    f.set(whole);
    const result = f.local(scalarType(this.dtype));
    foldLanes(f, this.dtype, this.lanes, [whole], ([swapped]) => {
      f.get(whole).get(swapped!);
      this.combine(true);
      f.set(whole);
    });
    f.get(whole);
    extractLane(f, this.dtype, this.lanes, 0);
    if (this.remainder) {
      f.get(this.remainderTotal?.sum ?? this.remainder);
      this.combine(false);
    }
    f.set(result).release(whole);
    return [result];
  }
}
