import { isFloat } from "../../../../base/dtype.js";
import type { DType } from "../../../../base/dtype.js";
import type { BinaryFn, Expr } from "../../../../kernel/expr.js";
import type { Accumulate } from "../../../../kernel/schedule.js";
import type { Local } from "../../assembler/index.js";
import { identity } from "../../../../kernel/identity.js";
import type { Reducer } from "./reducer.js";
import { scalarBinary, scalarConst, scalarType } from "../values/scalar.js";
import type { Values } from "../values/values.js";
import { extractLane, foldLanes, shapeOf, vectorBinary, vectorConst, vectorSelect } from "../values/vector.js";
import type { Lanes } from "../values/vector.js";

/** The best value so far and its position. */
interface Running {
  readonly value: Local;
  readonly position: Local;
}

/** argmax or argmin: of equal values the first wins, and the first NaN wins over all numbers. */
export class Search implements Reducer {
  private readonly running: Running[] = [];
  private remainder: Running | undefined;
  private readonly dtype: DType;
  private readonly vector: boolean;
  /** In a search by blocks across lanes: the best of all lanes. */
  private bound: Local | undefined;

  /**
   * @param position of the value among the reduced ones.
   * @param acrossLanes the lanes hold parts of one result (the lane dimension is reduced), not results of their own.
   * @param blocks whether it asks of several vectors at once if they hold anything better (`updateBlock`).
   */
  constructor(private readonly values: Values, private readonly spec: Accumulate & { readonly op: "argmax" | "argmin" }, private readonly position: Expr, private readonly acrossLanes: boolean, private readonly blocks: boolean) {
    this.dtype = spec.value.dtype;
    this.vector = values.vectorized;
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
    const position = f.local(vector ? "v128" : "i32");
    this.constant(vector, "int32", 0);
    f.set(position);
    return { value, position };
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
  }

  private get sharesRunning(): boolean { return this.blocks && this.acrossLanes; }

  update(): void {
    const { f, values, spec } = this;
    const vector = values.vectorized;
    const running = this.vector && !vector ? this.remainder! : this.running[this.sharesRunning ? 0 : values.copy]!;
    const x = f.local(vector ? "v128" : scalarType(this.dtype));
    if (vector) values.vector(spec.value);
    else values.scalar(spec.value);
    f.set(x);
    this.replaceIfBetter(running, x, vector);
    f.release(x);
  }

  /** Puts x and its position where they beat the running result. */
  private replaceIfBetter(running: Running, x: Local, vector: boolean): void {
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
    f.get(running.position);
    select("int32");
    f.set(running.position).release(better);
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
      eachCopy(() => values.inScope(() => this.replaceIfBetter(this.running[bound === undefined ? values.copy : 0]!, xs[values.copy]!, true)));
      if (bound !== undefined) this.raiseBound(bound);
    });
    for (const x of xs) f.release(x);
  }

  /** bound = the best of the running result's lanes, in all lanes. */
  private raiseBound(bound: Local): void {
    const { f } = this;
    f.get(this.running[0]!.value).set(bound);
    foldLanes(f, this.dtype, this.lanes, [bound], ([swapped]) => {
      f.get(swapped!).get(bound);
      this.further();
      f.set(bound);
    });
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

  fold(): void {}

  finish(): Local[] {
    return this.acrossLanes ? [this.finishLanes()] : this.running.map((r) => r.position);
  }

  /** The best of all lanes; of equal ones the first. */
  private finishLanes(): Local {
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
          f.get(what === "value" ? r.value : r.position);
          extractLane(f, what === "value" ? this.dtype : "int32", this.lanes, l);
        });
    const { remainder } = this;
    if (remainder) candidate((what) => f.get(what === "value" ? remainder.value : remainder.position));
    f.release(best).release(x).release(position).release(take);
    return at;
  }
}
