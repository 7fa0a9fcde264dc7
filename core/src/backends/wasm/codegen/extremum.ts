import type { Accumulate } from "../../../kernel/schedule.js";
import type { Local } from "../assembler/index.js";
import type { Reducer } from "./reducer.js";
import { scalarBinary, scalarConst, scalarType } from "./scalar.js";
import type { Values } from "./values.js";
import { extractLane, shapeOf, vectorConst } from "./vector.js";
import type { Lanes } from "./vector.js";

/** What the running values alone do not tell. */
interface Marks {
  /** Ones where a NaN was. */
  readonly nan: Local;
  /** Sign bits: of max, whether all were set, of min, whether one was. */
  readonly signs: Local;
}

/**
 * max or min of float vectors. The instructions that propagate NaN and order zeros take the machine half a dozen of its own, pmax and pmin
 * one, but these pass over NaN and keep the first of two zeros: NaN and signs are watched beside them and put in at the end.
 */
export class Extremum implements Reducer {
  private readonly running: Local[] = [];
  private readonly marks: Marks[] = [];
  private remainder: Local | undefined;

  constructor(private readonly values: Values, private readonly spec: Accumulate & { readonly op: "max" | "min" }, private readonly acrossLanes: boolean) {}

  private get f() { return this.values.f; }
  private get lanes(): Lanes { return this.values.lanes as Lanes; }
  private get shape(): "f32x4" | "f64x2" { return shapeOf(this.spec.dtype) as "f32x4" | "f64x2"; }
  private get isMax(): boolean { return this.spec.op === "max"; }

  begin(copies: number, remainder: boolean): void {
    const { f, spec } = this;
    const worst = this.isMax ? -Infinity : Infinity;
    const made = (set: () => void): Local => {
      const local = f.local("v128");
      set();
      f.set(local);
      return local;
    };
    for (let i = 0; i < copies; i++) this.running.push(made(() => vectorConst(f, spec.dtype, worst)));
    // Copies across lanes share marks; two sets, so that the chain of one does not bound the speed.
    for (let i = 0; i < (this.acrossLanes ? Math.min(2, copies) : copies); i++)
      this.marks.push({ nan: made(() => f.i32x4(0)), signs: made(() => f.i32x4(this.isMax ? -1 : 0)) });
    if (!remainder) return;
    this.remainder = f.local(scalarType(spec.dtype));
    scalarConst(f, spec.dtype, worst);
    f.set(this.remainder);
  }

  update(): void {
    const { f, values, spec } = this;
    if (!values.vectorized) {
      const running = this.remainder!;
      f.get(running);
      values.scalar(spec.value);
      scalarBinary(f, values.library, spec.op, spec.dtype);
      f.set(running);
      return;
    }
    const running = this.running[values.copy]!;
    const marks = this.marks[values.copy % this.marks.length]!;
    const x = f.local("v128");
    values.vector(spec.value);
    f.set(x);
    f.get(running).get(x).op(`${this.shape}.p${spec.op}`).set(running);
    f.get(marks.nan).get(x).get(x).op(`${this.shape}.ne`).op("v128.or").set(marks.nan);
    f.get(marks.signs).get(x).op(this.isMax ? "v128.and" : "v128.or").set(marks.signs).release(x);
  }

  fold(): void {}

  /** The running value with its zero's sign and NaN put in. */
  private pushCorrected(value: Local, marks: Marks): void {
    const { f, shape } = this;
    const zero = f.local("v128");
    f.get(value);
    vectorConst(f, this.spec.dtype, 0);
    f.op(`${shape}.eq`).set(zero);
    f.get(marks.signs);
    vectorConst(f, this.spec.dtype, -0);
    f.op("v128.and").get(value).get(zero).op("v128.bitselect").get(marks.nan).op("v128.or").release(zero);
  }

  finish(): Local[] {
    const { f, spec, values } = this;
    if (!this.acrossLanes) {
      this.running.forEach((value, i) => {
        this.pushCorrected(value, this.marks[i]!);
        f.set(value);
      });
      return this.running;
    }
    const [first, ...others] = this.running as [Local, ...Local[]];
    for (const r of others) f.get(first).get(r).op(`${this.shape}.p${spec.op}`).set(first);
    const [marks, second] = this.marks as [Marks, Marks | undefined];
    if (second) {
      f.get(marks.nan).get(second.nan).op("v128.or").set(marks.nan);
      f.get(marks.signs).get(second.signs).op(this.isMax ? "v128.and" : "v128.or").set(marks.signs);
    }
    // The signs of one lane count for the zeros of all; these the lanes' own max and min settle.
    this.pushCorrected(first, marks);
    f.set(first);
    const result = f.local(scalarType(spec.dtype));
    for (let l = 0; l < this.lanes; l++) {
      f.get(first);
      extractLane(f, spec.dtype, this.lanes, l);
      if (l > 0) scalarBinary(f, values.library, spec.op, spec.dtype);
    }
    if (this.remainder !== undefined) {
      f.get(this.remainder);
      scalarBinary(f, values.library, spec.op, spec.dtype);
    }
    f.set(result);
    return [result];
  }
}
