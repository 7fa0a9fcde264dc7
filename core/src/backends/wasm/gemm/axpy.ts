import type { FunctionRef } from "../assembler/index.js";
import { multiplyAdd } from "./form.js";
import type { Form } from "./form.js";
import { passOf, staticRange, times } from "./loops.js";
import { loadPart, storePart } from "./part.js";
import type { GemmContext } from "./spec.js";
import type { Body, VectorProduct } from "./vector-product.js";

/** Elements of y that stay in the first-level cache while columns of the matrix are added. */
const blockBytes = 8192;

/** Vectors of y between two jumps back: where a product is an instruction apart from its sum, those of the loop count. */
const turn = (form: Form): number => (form.ordered ? 1 : 4);

/** A matrix whose columns lie side by side times a vector: sums of columns, several at once, so that memory is read in order. */
export function axpyBody(context: GemmContext, form: Form, p: VectorProduct): Body {
  const { size, lanes } = form;
  const block = blockBytes / size;
  const group = form.ordered ? 8 : 6;
  return {
    scratchBytes: 0,
    emit: (f) => {
      const { matrix, x } = p.locals;
      const y = 2;
      const [xAt, mAt, first] = [f.local("i32"), f.local("i32"), f.local("i32")];
      staticRange(f, p.rows, block, (j) => {
        const columns = (count: number): void => {
          f.get(mAt).get(xAt).get(y);
          passOf(f, j, p.rows, block);
          f.get(first).call(axpyFunction(context, form, p, count));
          f.get(mAt).i32(count * p.matrix.k * size).op("i32.add").set(mAt);
          f.get(xAt).i32(count * p.x * size).op("i32.add").set(xAt);
          f.i32(0).set(first);
        };
        f.get(x).set(xAt).get(matrix).set(mAt).i32(p.accumulate ? 0 : 1).set(first);
        times(f, Math.floor(p.k / group), () => { columns(group); });
        if (p.k % group !== 0) columns(p.k % group);
        f.get(matrix).i32(block * size).op("i32.add").set(matrix).get(y).i32(block * size).op("i32.add").set(y);
      });
      for (const local of [xAt, mAt, first]) f.release(local);
    },
  };

  /** (M, x, y, elements, whether to overwrite): y (+)= `count` columns. */
  function axpyFunction({ library }: GemmContext, { dtype, type, splat, mul }: Form, { matrix, x: xStep, rows }: VectorProduct, count: number): FunctionRef {
    const tail = rows % lanes;
    const name = `gemm.${dtype}.axpy${count}.${matrix.k}.${xStep}.${tail}`;
    return library.helper(name, { params: ["i32", "i32", "i32", "i32", "i32"], results: [] }, (f) => {
      const [M, X, Y, n, overwrite] = [0, 1, 2, 3, 4];
      const xs = Array.from({ length: count }, (_, i) => {
        const v = f.local(type);
        f.get(X).memory(splat, i * xStep * size).set(v);
        return v;
      });
      const [sum, m] = [f.local(type), f.local(type)];
      const unroll = turn(form);
      const along = (at: number, part: number, fresh: boolean): void => {
        xs.forEach((v, i) => {
          loadPart(f, form, M, i * matrix.k * size + at, part);
          f.set(m);
          if (i === 0 && fresh) f.get(m).get(v).op(mul).set(sum);
          else {
            if (i === 0) {
              loadPart(f, form, Y, at, part);
              f.set(sum);
            }
            multiplyAdd(f, form, v, m, sum);
          }
        });
        storePart(f, form, Y, at, part, sum);
      };
      const all = (fresh: boolean): void => {
        // The ways out keep TurboFan from loading everything first (see tile.ts).
        f.block((out) => f.loop((again) => {
          for (let u = 0; u < unroll; u++) {
            f.get(n).i32((u + 1) * lanes).op("i32.lt_s").brIf(out);
            along(u * lanes * size, lanes, fresh);
          }
          for (const pointer of [M, Y]) f.get(pointer).i32(unroll * lanes * size).op("i32.add").set(pointer);
          f.get(n).i32(unroll * lanes).op("i32.sub").set(n).br(again);
        }));
        if (tail === 0) return;
        f.get(n).i32(lanes - 1).op("i32.and").if(() => {
          for (const pointer of [M, Y]) f.get(pointer).get(n).i32(-lanes).op("i32.and").i32(size).op("i32.mul").op("i32.add").set(pointer);
          along(0, tail, fresh);
        });
      };
      f.get(overwrite).if(() => { all(true); }, () => { all(false); });
    });
  }
}
