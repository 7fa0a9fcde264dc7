import type { FunctionBuilder, Local } from "../../assembler/index.js";
import type { Inductions } from "./induction.js";
import type { LoopPlan } from "./loop-plan.js";
import type { Values } from "../values/values.js";
import type { Lanes } from "../values/vector.js";

/** The loops of a nest: given from outside, counted, written out, or over vectors side by side. */
export class Loops {
  private copies: readonly number[] = [0];

  /** @param bound locals with the indices of the first dimensions, which are not looped over. */
  constructor(private readonly f: FunctionBuilder, private readonly plan: LoopPlan, private readonly values: Values, private readonly inductions: Inductions, private readonly bound: readonly Local[]) {}

  /** Vectors side by side where the code now stands. */
  get copyCount(): number { return this.copies.length; }

  /** Emits for each of the vectors side by side. */
  eachCopy(body: () => void): void {
    const { values, inductions } = this;
    if (!values.vectorized) {
      values.copy = 0;
      body();
      return;
    }
    values.copyOffsets = this.copies;
    this.copies.forEach((offset, copy) => {
      values.copy = copy;
      inductions.shift(this.plan.laneDim, offset);
      body();
      inductions.shift(this.plan.laneDim, -offset);
    });
    values.copy = 0;
    values.copyOffsets = [0];
  }

  /** A loop over a dimension, scalar or for lanes; `trips` of `step` elements. */
  private counted(trips: number, step: number, advance: (steps: number) => void, body: () => void, fold?: () => void): void {
    const { f } = this;
    const counter = f.local("i32");
    const once = (): void => {
      this.values.inScope(body);
      advance(step);
      f.get(counter).i32(1).op("i32.sub").tee(counter);
    };
    const block = this.plan.folding?.trips ?? trips;
    if (fold && trips > block) {
      const left = f.local("i32");
      f.i32(trips).set(left).loop((again) => {
        f.i32(block).get(left).i32(block).get(left).op("i32.lt_u").op("select").set(counter);
        f.get(left).get(counter).op("i32.sub").set(left);
        f.loop((next) => {
          once();
          f.brIf(next);
        });
        fold();
        f.get(left).brIf(again);
      }).release(left);
    } else
      f.i32(trips).set(counter).loop((again) => {
        once();
        f.brIf(again);
      });
    f.release(counter);
  }

  /** Emits the loop at a position of the order around `body`; `fold` ends blocks of partial sums. */
  run(position: number, body: () => void, fold?: () => void): void {
    const dim = this.plan.order[position]!;
    const n = this.plan.sizes[dim]!;
    if (n === 0) return;
    const given = this.bound[dim];
    if (given !== undefined) {
      const moving = this.inductions.open(dim);
      moving.move(given);
      this.values.inScope(body);
      moving.close();
    } else if (position === this.plan.lanePosition && this.values.vectorized) this.laneLoop(body, fold);
    else if (this.plan.unrolled[position])
      for (let i = 0; i < n; i++) {
        this.inductions.shift(dim, i);
        this.values.inScope(body);
        this.inductions.shift(dim, -i);
      }
    else {
      const moving = this.inductions.open(dim);
      this.counted(n, 1, moving.advance, body, fold);
      moving.close();
    }
  }

  /** Vectors in groups, then what is left: single vectors, the last one overlapping where that is allowed, else scalars. */
  private laneLoop(body: () => void, fold?: () => void): void {
    const { plan, values, inductions } = this;
    const { laneDim, copies, mainTrips, scalarRemainder } = plan;
    const lanes = plan.lanes as Lanes;
    const n = plan.sizes[laneDim]!;
    const looped = mainTrips > 1;
    const done = looped ? mainTrips * copies * lanes : 0;
    const rest = n - done;
    const offsets: number[] = [];
    for (let o = 0; o + lanes <= rest; o += lanes) offsets.push(o);
    const tail = rest - offsets.length * lanes;
    if (tail > 0 && !scalarRemainder) offsets.push(rest - lanes);
    const withCopies = (list: readonly number[], inner: () => void): void => {
      const before = this.copies;
      this.copies = list;
      inner();
      this.copies = before;
    };
    const remainder = (): void => {
      if (offsets.length > 0) withCopies(offsets, () => values.inScope(body));
      if (tail === 0 || !scalarRemainder) return;
      values.vectorized = false;
      inductions.shift(laneDim, offsets.length * lanes);
      for (let i = 0; i < tail; i++) {
        inductions.shift(laneDim, i);
        values.inScope(body);
        inductions.shift(laneDim, -i);
      }
      inductions.shift(laneDim, -offsets.length * lanes);
      values.vectorized = true;
    };
    if (!looped) {
      remainder();
      return;
    }
    const moving = inductions.open(laneDim);
    withCopies(Array.from({ length: copies }, (_, i) => i * lanes), () => this.counted(mainTrips, copies * lanes, moving.advance, body, fold));
    remainder();
    moving.close();
  }
}
