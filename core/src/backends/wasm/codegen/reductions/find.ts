import { isFloat } from "../../../../base/dtype.js";
import type { BinaryFn, Expr } from "../../../../kernel/expr.js";
import type { Accumulate } from "../../../../kernel/schedule.js";
import type { Label, Local } from "../../assembler/index.js";
import { scalarBinary, scalarType } from "../values/scalar.js";
import type { Values } from "../values/values.js";
import { splat, vectorBinary } from "../values/vector.js";
import type { Lanes } from "../values/vector.js";

/**
 * The second half of a search across lanes through few elements: once the extremum is known, where it is first. If it is a NaN there is one
 * among the elements, else none.
 */
export class Find {
  private readonly position: Local;
  private readonly everywhere: Local;

  /** @param best a local with the extremum. */
  constructor(private readonly values: Values, private readonly spec: Accumulate, private readonly rank: Expr, private readonly best: Local) {
    const { f } = values;
    this.position = f.local("i32");
    this.everywhere = f.local("v128");
    f.i32(0).set(this.position).get(best);
    splat(f, spec.value.dtype);
    f.set(this.everywhere);
  }

  private compare(fn: BinaryFn, vector: boolean): void {
    const { values: { f, library, lanes }, spec: { value: { dtype } } } = this;
    if (vector) vectorBinary(f, library, fn, dtype, lanes as Lanes);
    else scalarBinary(f, library, fn, dtype);
  }

  /** Pushes whether x is the extremum. */
  private isFound(x: Local, vector: boolean): void {
    const { f } = this.values;
    f.get(x).get(vector ? this.everywhere : this.best);
    this.compare("eq", vector);
    if (!isFloat(this.spec.value.dtype)) return;
    f.get(x).get(x);
    this.compare("ne", vector);
    f.op(vector ? "v128.or" : "i32.or");
  }

  /** Looks at all vectors side by side, or at one scalar, and leaves to `found`. */
  update(eachCopy: (body: () => void) => void, found: Label): void {
    const { values, spec, position } = this;
    const { f } = values;
    const wide = values.lanes === 2;
    const vector = values.vectorized;
    const xs: Local[] = [];
    eachCopy(() => {
      const x = f.local(vector ? "v128" : scalarType(spec.value.dtype));
      if (vector) values.vector(spec.value);
      else values.scalar(spec.value);
      f.set(x);
      xs.push(x);
    });
    if (!vector) this.isFound(xs[0]!, false);
    else {
      // Whether not all are worse: one comparison, which NaN fails as well.
      xs.forEach((x, i) => {
        f.get(x).get(this.everywhere);
        this.compare(spec.op === "argmax" ? "lt" : "gt", true);
        if (i > 0) f.op("v128.and");
      });
      f.op(wide ? "i64x2.all_true" : "i32x4.all_true").op("i32.eqz");
    }
    f.if(() => {
      if (vector) {
        const mask = f.local("i32");
        xs.forEach((x, i) => {
          this.isFound(x, true);
          f.op(wide ? "i64x2.bitmask" : "i32x4.bitmask").i32((wide ? 2 : 4) * i).op("i32.shl");
          if (i > 0) f.op("i32.or");
        });
        f.tee(mask).if(() => {
          values.inductions.pushIndex(values.access(this.rank));
          f.get(mask).op("i32.ctz").op("i32.add").set(position).br(found);
        }).release(mask);
      } else {
        values.inductions.pushIndex(values.access(this.rank));
        f.set(position).br(found);
      }
    });
    for (const x of xs) f.release(x);
  }

  finish(): Local {
    this.values.f.release(this.everywhere);
    return this.position;
  }
}
