import type { DType } from "../../../base/dtype.js";
import { isFloat } from "../../../base/dtype.js";
import type { BinaryFn, Expr } from "../../../kernel/expr.js";
import type { Accumulate, ReduceOp } from "../../../kernel/schedule.js";
import type { Local } from "../assembler/index.js";
import { scalarBinary, scalarConst, scalarType } from "./scalar.js";
import type { Reducer } from "./reducer.js";
import type { Values } from "./values.js";
import { extractLane, shapeOf, vectorBinary, vectorConst, vectorSelect } from "./vector.js";
import type { Lanes } from "./vector.js";

function identity(op: ReduceOp, dtype: DType): number {
  const highest = dtype === "int32" ? 2147483647 : dtype === "uint32" ? 4294967295 : dtype === "bool" ? 1 : Infinity;
  const lowest = dtype === "int32" ? -2147483648 : isFloat(dtype) ? -Infinity : 0;
  switch (op) {
    case "add": case "or": case "xor": return 0;
    case "mul": return 1;
    case "and": return dtype === "bool" ? 1 : -1;
    case "max": case "argmax": return lowest;
    case "min": case "argmin": return highest;
  }
}

/** One running result: its best or partial value and, for searches, the position of it. */
interface Running {
  readonly value: Local;
  readonly position: Local | undefined;
}

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
  private readonly running: Running[] = [];
  private readonly totals: Total[] = [];
  private remainder: Running | undefined;
  private remainderTotal: Total | undefined;
  private readonly dtype: DType;
  private readonly search: boolean;
  private readonly vector: boolean;
  /** In a search by blocks across lanes: the best of all lanes. */
  private bound: Local | undefined;

  /**
   * @param acrossLanes the lanes hold parts of one result (the lane dimension is reduced), not results of their own.
   * @param folded whether `fold` will be called.
   * @param blocks whether a search asks of several vectors at once if they hold anything better (`updateBlock`).
   */
  constructor(private readonly values: Values, private readonly spec: Accumulate, private readonly position: Expr, private readonly acrossLanes: boolean, private readonly folded: boolean, private readonly blocks: boolean) {
    this.search = spec.op === "argmax" || spec.op === "argmin";
    this.dtype = this.search ? spec.value.dtype : spec.dtype;
    this.vector = values.vectorized;
    if (!(spec.op === "add" && isFloat(spec.dtype))) this.folded = false;
  }

  private get f() { return this.values.f; }
  private get lanes(): Lanes { return this.values.lanes as Lanes; }

  private constant(vector: boolean, dtype: DType, x: number): void {
    if (vector) vectorConst(this.f, dtype, x);
    else scalarConst(this.f, dtype, x);
  }

  private newRunning(vector: boolean): Running {
    const { f } = this;
    const value = f.local(vector ? "v128" : scalarType(this.dtype));
    this.constant(vector, this.dtype, identity(this.spec.op, this.dtype));
    f.set(value);
    if (!this.search) return { value, position: undefined };
    const position = f.local(vector ? "v128" : "i32");
    this.constant(vector, "int32", 0);
    f.set(position);
    return { value, position };
  }

  private newTotal(vector: boolean): Total {
    const { f } = this;
    const [sum, lost] = [0, 0].map(() => {
      const local = f.local(vector ? "v128" : scalarType(this.dtype));
      this.constant(vector, this.dtype, 0);
      f.set(local);
      return local;
    }) as [Local, Local];
    return { sum, lost };
  }

  begin(copies: number, remainder: boolean): void {
    // Positions only grow, so that the vectors of a search by blocks can share a running result.
    for (let i = 0; i < (this.sharesRunning ? 1 : copies); i++) this.running.push(this.newRunning(this.vector));
    if (this.sharesRunning) {
      this.bound = this.f.local("v128");
      this.constant(true, this.dtype, identity(this.spec.op, this.dtype));
      this.f.set(this.bound);
    }
    if (remainder) this.remainder = this.newRunning(false);
    if (this.folded) {
      // Copies across lanes are parts of one result and share a total.
      for (let i = 0; i < (this.acrossLanes ? 1 : copies); i++) this.totals.push(this.newTotal(this.vector));
      if (remainder) this.remainderTotal = this.newTotal(false);
    }
  }

  private get sharesRunning(): boolean { return this.blocks && this.acrossLanes; }

  private combine(vector: boolean): void {
    const { f, values, dtype } = this;
    const fn = this.spec.op as BinaryFn;
    if (vector) vectorBinary(f, values.library, fn, dtype, this.lanes);
    else scalarBinary(f, values.library, fn, dtype);
  }

  /** Takes in the value at the current indices; `copy` is that of `values`. */
  update(): void {
    const { f, values, spec } = this;
    const vector = values.vectorized;
    const running = this.vector && !vector ? this.remainder! : this.running[this.sharesRunning ? 0 : values.copy]!;
    const push = (e: Expr): void => (vector ? values.vector(e) : values.scalar(e));
    if (!this.search) {
      f.get(running.value);
      push(spec.value);
      this.combine(vector);
      f.set(running.value);
      return;
    }
    const x = f.local(vector ? "v128" : scalarType(this.dtype));
    push(spec.value);
    f.set(x);
    this.take(running, x, vector);
    f.release(x);
  }

  /** Puts x and its position where they beat the running result. */
  private take(running: Running, x: Local, vector: boolean): void {
    const { f, values } = this;
    const better = f.local(vector ? "v128" : "i32");
    this.isBetter(vector, x, running.value);
    f.set(better);
    const select = (dtype: DType): void => {
      f.get(better);
      if (vector) vectorSelect(f, dtype, this.lanes);
      else f.op("select");
    };
    f.get(x).get(running.value);
    select(this.dtype);
    f.set(running.value);
    if (vector) values.vector(this.position);
    else values.scalar(this.position);
    f.get(running.position!);
    select("int32");
    f.set(running.position!).release(better);
  }

  /** Pushes what is further out of two vectors; with floats, of a NaN and a number either. */
  private further(): void {
    const { f, dtype, spec } = this;
    const fn = spec.op === "argmax" ? "max" : "min";
    if (isFloat(dtype)) f.op(`${shapeOf(dtype) as "f32x4"}.p${fn}`);
    else vectorBinary(f, this.values.library, fn, dtype, this.lanes);
  }

  /**
   * A search's update by all vectors side by side: seldom does one of them hold anything better, and only then is it asked where. NaN shows
   * in the sum of the vectors; that opposite infinities look the same does no harm.
   */
  updateBlock(eachCopy: (body: () => void) => void): void {
    const { f, values, spec, dtype, bound } = this;
    const beats = spec.op === "argmax" ? "gt" : "lt";
    const xs: Local[] = [];
    eachCopy(() => {
      const x = f.local("v128");
      values.vector(spec.value);
      f.set(x);
      xs.push(x);
    });
    const tree = (from: number, to: number, join: () => void): void => {
      if (to - from === 1) {
        f.get(xs[from]!);
        return;
      }
      const middle = (from + to) >> 1;
      tree(from, middle, join);
      tree(middle, to, join);
      join();
    };
    if (bound !== undefined) {
      tree(0, xs.length, () => this.further());
      f.get(bound);
      this.compare(true, beats);
    } else
      xs.forEach((x, i) => {
        f.get(x).get(this.running[i]!.value);
        this.compare(true, beats);
        if (i > 0) f.op("v128.or");
      });
    if (isFloat(dtype)) {
      const sum = f.local("v128");
      tree(0, xs.length, () => f.op(`${shapeOf(dtype) as "f32x4"}.add`));
      f.tee(sum).get(sum);
      this.compare(true, "ne");
      f.op("v128.or").release(sum);
    }
    f.op("i32x4.bitmask").if(() => {
      eachCopy(() => values.inScope(() => this.take(this.running[bound === undefined ? values.copy : 0]!, xs[values.copy]!, true)));
      if (bound !== undefined) this.raiseBound(bound);
    });
    for (const x of xs) f.release(x);
  }

  /** bound = the best of the running result's lanes, in all lanes. */
  private raiseBound(bound: Local): void {
    const { f } = this;
    const best = this.running[0]!.value;
    const turned = (words: readonly [number, number, number, number]): void => {
      f.get(bound).get(bound).shuffle32(...words).get(bound);
      this.further();
      f.set(bound);
    };
    f.get(best);
    if (this.lanes === 4) {
      f.set(bound);
      turned([2, 3, 0, 1]);
      turned([1, 0, 3, 2]);
    } else if (this.dtype === "float64" || this.dtype === "bool") {
      f.set(bound);
      turned([2, 3, 0, 1]);
    } else {
      // The upper lanes mean nothing.
      f.get(best).shuffle32(0, 1, 0, 1).set(bound);
      turned([1, 0, 3, 2]);
    }
  }

  private compare(vector: boolean, fn: BinaryFn): void {
    const { f, values, dtype } = this;
    if (vector) vectorBinary(f, values.library, fn, dtype, this.lanes);
    else scalarBinary(f, values.library, fn, dtype);
  }

  /** x beats the best so far: it is further out, or the first NaN. */
  private isBetter(vector: boolean, x: Local, best: Local): void {
    const { f } = this;
    f.get(x).get(best);
    this.compare(vector, this.spec.op === "argmax" ? "gt" : "lt");
    if (!isFloat(this.dtype)) return;
    f.get(x).get(x);
    this.compare(vector, "ne");
    f.get(best).get(best);
    this.compare(vector, "eq");
    f.op(vector ? "v128.and" : "i32.and").op(vector ? "v128.or" : "i32.or");
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

  private reset(running: Running, vector: boolean): void {
    this.constant(vector, this.dtype, 0);
    this.f.set(running.value);
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
        this.foldInto(this.totals[i]!, this.vector, () => f.get(r.value));
        this.reset(r, this.vector);
      });
    if (this.remainder && this.remainderTotal) {
      const { remainder } = this;
      this.foldInto(this.remainderTotal, false, () => f.get(remainder.value));
      this.reset(remainder, false);
    }
  }

  private pushSumOfCopies(): void {
    this.running.forEach((r, i) => {
      this.f.get(r.value);
      if (i > 0) this.combine(this.vector);
    });
  }

  /** After the loops: locals of the results by copy, vectors only if lanes hold results of their own. */
  finish(): Local[] {
    const { f } = this;
    if (this.search && this.acrossLanes) return [this.finishSearch()];
    if (!this.acrossLanes || !this.vector) {
      if (this.folded) return this.totals.map((t) => t.sum);
      return this.running.map((r) => r.position ?? r.value);
    }
    const whole = f.local("v128");
    if (this.folded) f.get(this.totals[0]!.sum);
    else this.pushSumOfCopies();
    f.set(whole);
    const result = f.local(scalarType(this.dtype));
    for (let l = 0; l < this.lanes; l++) {
      f.get(whole);
      extractLane(f, this.dtype, this.lanes, l);
      if (l > 0) this.combine(false);
    }
    if (this.remainder) {
      f.get(this.remainderTotal?.sum ?? this.remainder.value);
      this.combine(false);
    }
    f.set(result).release(whole);
    return [result];
  }

  /** The best of all lanes; of equal ones the first. */
  private finishSearch(): Local {
    const { f } = this;
    const type = scalarType(this.dtype);
    const [best, x] = [f.local(type), f.local(type)];
    const [at, position, take] = [f.local("i32"), f.local("i32"), f.local("i32")];
    let first = true;
    const candidate = (push: (what: "value" | "position") => void): void => {
      if (first) {
        push("value");
        f.set(best);
        push("position");
        f.set(at);
        first = false;
        return;
      }
      push("value");
      f.set(x);
      push("position");
      f.set(position);
      this.isBetter(false, x, best);
      f.get(x).get(best);
      this.compare(false, "eq");
      if (isFloat(this.dtype)) {
        f.get(x).get(x);
        this.compare(false, "ne");
        f.get(best).get(best);
        this.compare(false, "ne");
        f.op("i32.and").op("i32.or");
      }
      f.get(position).get(at).op("i32.lt_u").op("i32.and").op("i32.or").set(take);
      f.get(x).get(best).get(take).op("select").set(best);
      f.get(position).get(at).get(take).op("select").set(at);
    };
    for (const r of this.running)
      for (let l = 0; l < this.lanes; l++)
        candidate((what) => {
          f.get(what === "value" ? r.value : r.position!);
          extractLane(f, what === "value" ? this.dtype : "int32", this.lanes, l);
        });
    const { remainder } = this;
    if (remainder) candidate((what) => f.get(what === "value" ? remainder.value : remainder.position!));
    f.release(best).release(x).release(position).release(take);
    return at;
  }
}
