import type { Accumulate } from "../../../../kernel/schedule.js";
import type { FunctionBuilder, Local } from "../../assembler/index.js";
import type { Reducer } from "./reducer.js";
import { scalarBinary, scalarConst, scalarType } from "../values/scalar.js";
import type { Values } from "../values/values.js";
import { extractLane, foldLanes } from "../values/vector.js";
import type { Lanes } from "../values/vector.js";

/** Three vectors that together tell the extremum, whether there was a NaN, and the sign of a zero. */
type State = readonly [Local, Local, Local];

/** The instructions that propagate NaN and order zeros take the machine half a dozen of its own: cheaper ones, and what is put in at the end. */
interface Method {
  begin(f: FunctionBuilder, part: number): void;
  /** state = state with the values of another state or, in all three places, of a vector. */
  merge(f: FunctionBuilder, state: State, from: State): void;
  pushResult(f: FunctionBuilder, state: State): void;
}

/**
 * The bits of floats as integers. Signed, the greatest is the maximum unless all are negative, or a NaN without sign. Unsigned, the greatest
 * is the minimum unless all are positive, or a NaN with one. Unsigned, the least is the extremum where the others are not. So one state serves
 * both; it begins with what no bits go beyond.
 */
const ofBits = (isMax: boolean): Method => ({
  begin: (f, part) => void f.i32x4([-0x80000000, -1, 0][part]!),
  merge: (f, [signed, least, greatest], from) => {
    f.get(signed).get(from[0]).op("i32x4.max_s").set(signed);
    f.get(least).get(from[1]).op("i32x4.min_u").set(least);
    f.get(greatest).get(from[2]).op("i32x4.max_u").set(greatest);
  },
  pushResult: (f, [signed, least, greatest]) => {
    const [infinity, negativeInfinity] = [0x7f800000, 0xff800000 | 0];
    if (isMax) f.get(least).get(signed).get(signed);
    else f.get(greatest).get(least).get(greatest);
    f.i32(31).op("i32x4.shr_s").op("v128.bitselect");
    f.get(signed).i32x4(infinity).op("i32x4.gt_s").get(greatest).i32x4(negativeInfinity).op("i32x4.gt_u").op("v128.or").op("v128.or");
  },
});

/** pmax and pmin pass over NaN and keep the first of two zeros: watched beside are ones where a NaN was, and whether all signs were set or, of min, one. */
const ofDoubles = (isMax: boolean): Method => ({
  begin: (f) => void f.f64x2(isMax ? -Infinity : Infinity),
  merge: (f, [best, nan, signs], from) => {
    f.get(best).get(from[0]).op(isMax ? "f64x2.pmax" : "f64x2.pmin").set(best);
    f.get(nan).get(from[1]).get(from[1]).op("f64x2.ne").op("v128.or").set(nan);
    f.get(signs).get(from[2]).op(isMax ? "v128.and" : "v128.or").set(signs);
  },
  pushResult: (f, [best, nan, signs]) => {
    f.get(signs).f64x2(-0).op("v128.and").get(best).get(best).f64x2(0).op("f64x2.eq").op("v128.bitselect");
    f.get(nan).get(nan).op("f64x2.ne").op("v128.or");
  },
});

/** max or min of float vectors. */
export class Extremum implements Reducer {
  private states: State[] = [];
  private joined = false;
  private readonly method: Method;
  private remainder: Local | undefined;

  /** @param twin an extremum of the same float32 values that comes before: its state is ours. */
  constructor(private readonly values: Values, readonly spec: Accumulate & { readonly op: "max" | "min" }, private readonly acrossLanes: boolean, private readonly twin: Extremum | undefined) {
    this.method = (spec.dtype === "float64" ? ofDoubles : ofBits)(spec.op === "max");
  }

  private get f() { return this.values.f; }

  begin(copies: number, remainder: boolean): void {
    const { f, spec } = this;
    // Copies across lanes are parts of one result; two, so that the chain of one does not bound the speed.
    if (this.twin) this.states = this.twin.states;
    else for (let i = 0; i < (this.acrossLanes ? Math.min(2, copies) : copies); i++)
      this.states.push([0, 1, 2].map((part) => {
        const local = f.local("v128");
        this.method.begin(f, part);
        f.set(local);
        return local;
      }) as unknown as State);
    if (!remainder) return;
    this.remainder = f.local(scalarType(spec.dtype));
    scalarConst(f, spec.dtype, spec.op === "max" ? -Infinity : Infinity);
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
    if (this.twin) return;
    const x = f.local("v128");
    values.vector(spec.value);
    f.set(x);
    this.method.merge(f, this.states[values.copy % this.states.length]!, [x, x, x]);
    f.release(x);
  }

  fold(): void {}

  finish(): Local[] {
    const { f, spec, values, method } = this;
    const [first, ...others] = this.states as [State, ...State[]];
    if (!this.acrossLanes)
      return this.states.map((state) => {
        const result = f.local("v128");
        method.pushResult(f, state);
        f.set(result);
        return result;
      });
    if (!this.twin?.joined) {
      for (const state of others) method.merge(f, first, state);
      foldLanes(f, spec.dtype, values.lanes as Lanes, first, (swapped) => method.merge(f, first, swapped as State));
      this.joined = true;
    }
    method.pushResult(f, first);
    const result = f.local(scalarType(spec.dtype));
    extractLane(f, spec.dtype, values.lanes as Lanes, 0);
    if (this.remainder !== undefined) {
      f.get(this.remainder);
      scalarBinary(f, values.library, spec.op, spec.dtype);
    }
    f.set(result);
    return [result];
  }
}
