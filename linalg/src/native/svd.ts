import { defineNativeRoutine, dot, type IndexLike, type IndexVariable, largestMagnitude, type NativeGenerator, type Pointer, scale, transposeInto, transposeRows } from "@hessia/core/native";
import { svdRoutine as routine, svdvalsRoutine as valuesRoutine, type SvdSizes } from "../routines/svd.js";
import { bidiagonalSvd, mergeIntegers, mergeVectors } from "./bidiagonal-divide.js";
import { bidiagonalize, panelColumns } from "./bidiagonalize.js";
import { blockSizeOf, factorizeColumns, multiplyByQ } from "./householder-qr.js";
import { implicitQr } from "./implicit-qr.js";
import { completeBasis, orthogonalize } from "./one-sided-jacobi.js";
import { ascendingOrder } from "./order.js";
import { multiplyByReflectors, togetherSize } from "./reflectors.js";
import { layOut } from "./room.js";
import { unitFactor } from "./scaling.js";

/** Up to so many columns rotations are faster than a reduction, and more accurate. */
const jacobiColumns = 12;

/** Right singular vectors as rows, left ones as rows, singular values; `order` sorts them ascending. */
interface Spectrum { readonly left: Pointer; readonly right: Pointer; readonly values: Pointer; readonly order: Pointer; readonly failed: IndexVariable }

const generator = (vectors: boolean): NativeGenerator<SvdSizes> => ({ params: { batch, m, n }, inputs, gemmScratchBytes }) => {
  const { dtype } = inputs[0]!;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  const converts = dtype === "float32";
  const jacobi = n <= jacobiColumns;
  const tall = jacobi ? m > 3 * n : m > n;
  const rows = tall ? n : m;
  const blockSize = blockSizeOf(n);
  const few = jacobi ? 0 : 1;
  const square = vectors && !jacobi ? n * n : 0;
  const sizes = {
    w: m * n, converted: converts ? m * n : 0,
    companions: tall ? m * n : 0, upper: tall ? n * n : 0, x: tall && vectors ? m * n : 0, work: Math.max(tall ? blockSize * n : 0, few * togetherSize * n),
    v: jacobi || vectors ? n * n : 0, lengths: n, products: 3, done: n,
    left: few * n * n, u: square, rows: square, system: square, columnsX: few * 2 * panelColumns * n, columnsY: few * 2 * panelColumns * n, dots: few * 2 * panelColumns,
    reflectors: few * togetherSize * n, together: few * togetherSize * n, e: few * n, tauLeft: few * n, tauRight: few * n, merge: few * mergeVectors * n, order: n, integers: few * mergeIntegers * n,
  };
  const { starts, total } = layOut(sizes);

  return {
    dtype: "float64",
    scratchBytes: total * 8 + (tall || !jacobi ? gemmScratchBytes("float64") : 0),
    body(c, { inputs: [a], outputs, scratch: room }) {
      const part = (name: keyof typeof sizes): Pointer => c.let(room.at(starts[name]));
      const integers = (name: "order" | "done" | "integers"): Pointer => c.let(part(name).bytes(0, "int32"));
      const [w, converted, companions, upper, x, work, lengths] = [part("w"), part("converted"), part("companions"), part("upper"), part("x"), part("work"), part("lengths")];
      const order = integers("order");
      const scratch = c.let(room.at(total));

      /** Of the columns in rows of `matrix`. */
      const byRotations = (matrix: Pointer): Spectrum => {
        const right = part("v");
        c.clear(n * n, right);
        c.range(0, n, (j) => right.store(1, j.times(n + 1)));
        const failed = c.let(c.call(orthogonalize, { m: rows, n, w: matrix, v: right, products: part("products") }));
        c.range(0, n, (j) => {
          const row = c.let(matrix.at(j.times(rows)));
          lengths.store(c.call(dot, { n: rows, x: row, y: row }).sqrt(), j);
        });
        c.call(ascendingOrder, { n, d: lengths, order });
        if (vectors) c.call(completeBasis, { m: rows, n, w: matrix, lengths, done: integers("done") });
        return { left: matrix, right, values: lengths, order, failed };
      };
      /** Of the square matrix whose transpose is `matrix`: left and right change places. */
      const byReduction = (matrix: Pointer): Spectrum => {
        const [left, right, reflectors, tauLeft, tauRight, e] = [part("v"), part("u"), part("left"), part("tauLeft"), part("tauRight"), part("e")];
        c.call(bidiagonalize, { n, a: matrix, d: lengths, e, left: reflectors, tauLeft, tauRight, x: part("columnsX"), y: part("columnsY"), dots: part("dots"), scratch });
        if (!vectors) {
          const failed = c.let(c.call(implicitQr, { n, extra: 0, d: lengths, e, ut: right, uRow: 0, uCount: 0, vt: left, vRow: 0, vCount: 0 }));
          c.call(ascendingOrder, { n, d: lengths, order });
          return { left, right, values: lengths, order, failed };
        }
        c.clear(n * n, left);
        c.clear(n * n, right);
        const failed = c.let(c.call(bidiagonalSvd, { n, extra: 0, d: lengths, e, ut: right, vt: left, row: n, order, vectors: part("merge"), integers: integers("integers"), rows: part("rows"), system: part("system"), scratch }));
        const shared = { n, v: part("reflectors"), w: part("together"), work, scratch };
        c.call(multiplyByReflectors, { ...shared, count: n - 1, offset: 0, a: reflectors, tau: tauLeft, z: right });
        c.call(multiplyByReflectors, { ...shared, count: n - 2, offset: 1, a: matrix, tau: tauRight, z: left });
        return { left, right, values: lengths, order, failed };
      };

      c.range(0, batch, (g) => {
        const from = c.let(a!.at(g.times(m * n)));
        const [u, s, vt] = vectors ? outputs : [undefined, outputs[0]!, undefined];
        const values = c.let(s!.at(g.times(n)));
        const [left, right] = [u && c.let(u.at(g.times(m * n))), vt && c.let(vt.at(g.times(n * n)))];
        if (converts) c.range(0, m * n, (i) => converted.store(from.load(i), i));
        c.call(transposeInto, { m, n, a: converts ? converted : from, aRow: n, b: w, bRow: m });
        const failed = c.index(1);
        const largest = c.call(largestMagnitude, { n: m * n, x: w });
        c.when(largest.less(Infinity), () => {
          const factor = unitFactor(c, largest);
          c.when(factor.differs(1), () => c.call(scale, { n: m * n, a: factor, x: w }));
          if (tall) {
            c.clear(m * n, companions);
            c.clear(n * n, upper);
            c.call(factorizeColumns, { m, n, size: blockSize, v: w, w: companions, upper, upperRow: n, work, scratch });
          }
          const found = (jacobi ? byRotations : byReduction)(tall ? upper : w);
          failed.set(found.failed);
          c.when(failed.equals(0), () => {
            const at = (k: IndexLike): IndexVariable => c.let(order.loadIndex(c.index(n - 1).minus(k)));
            c.range(0, n, (k) => values.store(found.values.load(at(k)).over(factor), k));
            if (!left || !right) return;
            c.range(0, n, (k) => {
              const row = c.let(found.right.at(at(k).times(n)));
              if (converts) c.range(0, n, (i) => right.store(row.load(i), k.times(n).plus(i)));
              else c.copy(n, row, right.at(k.times(n)));
            });
            const target = converts ? converted : left;
            if (tall) {
              c.clear(m * n, x);
              c.range(0, n, (k) => c.copy(n, found.left.at(at(k).times(n)), x.at(k.times(m))));
              c.call(multiplyByQ, { rows: n, m, n, size: blockSize, v: w, w: companions, x, work, scratch });
              c.call(transposeInto, { m: n, n: m, a: x, aRow: m, b: target, bRow: n });
            } else transposeRows(c, n, m, (k) => found.left.at(at(k).times(m)), target, n);
            if (converts) c.range(0, m * n, (i) => left.store(converted.load(i), i));
          });
        });
        c.when(failed.differs(0), () => {
          c.range(0, n, (i) => values.store(NaN, i));
          if (left) c.range(0, m * n, (i) => left.store(NaN, i));
          if (right) c.range(0, n * n, (i) => right.store(NaN, i));
        });
      });
    },
  };
};

/**
 * SVD in WebAssembly, in double precision for both float types: one-sided Jacobi, or reduction to bidiagonal form, divide and conquer, and back; of a tall matrix that of R of its QR
 * decomposition. For the singular values alone reduction and implicit QR.
 */
export const svdRoutine = defineNativeRoutine(routine, generator(true));
export const svdvalsRoutine = defineNativeRoutine(valuesRoutine, generator(false));
