/** numpy-ts: eager, no derivatives. Temporaries of a formula are disposed where it has such a way and it is faster. */
import { type Adapter, elementOf, numberOf, type Prepared, textOf, Unsupported } from "../../harness/case.js";
import { centered, digest, type Numbers, uniform } from "../../harness/data.js";
import { chainLength } from "../../tasks/dispatch.js";
import { numbers, positions, shapeOf } from "../../tasks/indexing.js";
import { operands, productOf } from "../../tasks/products.js";
import { absoluteDigest, definite, eigenDigest, general, rightSide, singularDigest } from "../../tasks/linear-algebra.js";
import { axisOf, columns, input, rows } from "../../tasks/reductions.js";
import { surveyInput, type SurveyName } from "../../tasks/survey.js";
import type { Untyped } from "../untyped.js";

export function numpyTsAdapter(np: Untyped): Adapter {
  const array = (data: Numbers, shape: readonly number[]): Untyped => np.frombuffer(data, data instanceof Float64Array ? "float64" : "float32").reshape(shape).copy();
  const flat = (y: Untyped): ArrayLike<number> => (typeof y === "number" ? [y] : typeof y === "bigint" ? [Number(y)] : Array.from(np.ravel(y).copy().data as ArrayLike<number | bigint>, Number));
  const calling = (call: () => Untyped, answer: (y: Untyped) => number[] = (y) => digest(flat(y))): Prepared => ({
    run: () => { call()?.dispose?.(); },
    digest: () => answer(call()),
  });
  const noDerivatives = (): never => { throw new Unsupported("has no derivatives"); };

  return {
    matmul(params) {
      const n = numberOf(params, "n");
      const dtype = elementOf(params);
      const [a, b] = [array(centered(n * n, 1, dtype), [n, n]), array(centered(n * n, 2, dtype), [n, n])];
      return { ...calling(() => np.matmul(a, b)), dispose() { a.dispose?.(); b.dispose?.(); } };
    },

    products(params) {
      const p = productOf(params);
      const [a, b] = operands(p, elementOf(params)).map((v, i) => array(v, p.shapes[i]!));
      const turned = (x: Untyped, flip: boolean): Untyped => (flip ? np.swapaxes(x, -1, -2) : x);
      const { matmul, spec } = p;
      const plain: Record<string, () => Untyped> = {
        "ij,j->i": () => np.matmul(a, b), "i,ij->j": () => np.matmul(a, b), "i,j->ij": () => np.outer(a, b), "i,i->": () => np.dot(a, b),
        "bij,bj->bi": () => np.matmul(a, np.expand_dims(b, -1)), "bhqk,bkhd->bqhd": () => np.swapaxes(np.matmul(a, np.swapaxes(b, 1, 2)), 1, 2),
      };
      return calling(matmul ? () => np.matmul(turned(a, matmul.ta), turned(b, matmul.tb)) : plain[spec]!);
    },

    fused(params) {
      const n = numberOf(params, "n");
      const x = array(centered(n, 3, elementOf(params), 4), [n]);
      const f = (): Untyped => {
        const tanh = np.tanh(x), square = np.multiply(x, x), negative = np.negative(square), bell = np.exp(negative), left = np.multiply(tanh, bell), right = np.multiply(x, 0.5), both = np.add(left, right);
        const sum = np.sum(both);
        for (const t of [tanh, square, negative, bell, left, right, both]) t.dispose?.();
        return sum;
      };
      return { ...calling(f), dispose() { x.dispose?.(); } };
    },

    reductions(params) {
      const x = array(input(), [rows, columns]);
      const op = textOf(params, "op");
      const axis = axisOf(params["axis"]!);
      const logSoftmax = (): Untyped => {
        const top = np.max(x, 1, true), shifted = np.subtract(x, top), powers = np.exp(shifted), sums = np.sum(powers, 1, true), logs = np.log(sums);
        const y = np.subtract(shifted, logs);
        for (const t of [top, shifted, powers, sums, logs]) t.dispose?.();
        return y;
      };
      return { ...calling(op === "logSoftmax" ? logSoftmax : () => (axis === null ? np[op](x) : np[op](x, axis))), dispose() { x.dispose?.(); } };
    },

    indexing(params) {
      const [op, shape, axis] = [textOf(params, "op"), textOf(params, "shape"), numberOf(params, "axis")];
      if (op === "add") throw new Unsupported("has no add.at");
      const x = array(numbers(elementOf(params)), shapeOf(shape));
      const at = op === "take" ? Array.from(positions(shape)) : [];
      return calling(() => (op === "take" ? np.take(x, at, 0) : np[op](x, axis)));
    },

    survey(params) {
      if (textOf(params, "mode") !== "eager") throw new Unsupported("has no jit");
      const n = numberOf(params, "n");
      const input = surveyInput(n, elementOf(params));
      const { rows, columns } = input;
      const [x, y, positive, matrix] = [array(input.x, [n]), array(input.y, [n]), array(input.positive, [n]), array(input.x, [rows, columns])];
      const [column, row] = [array(input.x.slice(0, rows), [rows, 1]), array(input.y.slice(0, columns), [columns])];
      const operations: Partial<Record<SurveyName, () => Untyped>> = {
        remainder: () => np.remainder(x, positive), cube: () => np.power(x, 3), clip: () => np.clip(x, -1, 1), where: () => np.where(np.greater(x, 0), x, y), "column + row": () => np.add(column, row),
        transpose: () => np.transpose(matrix).copy(), concatenate: () => np.concatenate([x, y]), repeat: () => np.repeat(x, 2), roll: () => np.roll(x, 3), pad: () => np.pad(matrix, 1), "every second": () => x.slice("::2").copy(),
        diff: () => np.diff(x), "variance, axis 0": () => np.variance(matrix, 0), "norm, axis 1": () => np.linalg.norm(matrix, undefined, 1),
      };
      const call = operations[textOf(params, "op") as SurveyName];
      if (!call) throw new Unsupported("has no such function");
      return { ...calling(call), dispose() { for (const a of [x, y, positive, matrix, column, row]) a.dispose?.(); } };
    },

    dispatch(params) {
      if (textOf(params, "mode") !== "eager") throw new Unsupported("has no jit");
      const n = numberOf(params, "n");
      const data = uniform(Math.max(1, n), 5);
      const x = n === 0 ? np.array(data[0], "float32") : array(data, [n]);
      const chain = (): Untyped => {
        let y = x;
        for (let i = 0; i < chainLength; i++) y = np.add(y, 1);
        return y;
      };
      const call = textOf(params, "use") === "chain" ? chain : () => np.add(x, 1);
      return { run: () => void call().data[0], digest: () => digest(flat(call())) };
    },

    linalg(params) {
      const n = numberOf(params, "n");
      const host = definite(n);
      const [a, s, b] = [array(general(n), [n, n]), array(host, [n, n]), array(rightSide(n), [n])];
      switch (textOf(params, "op")) {
        case "cholesky": return calling(() => np.linalg.cholesky(s));
        case "solve": return calling(() => np.linalg.solve(a, b));
        case "qr": return calling(() => np.linalg.qr(a), (y) => absoluteDigest(flat(y.r ?? y.R ?? y[1])));
        case "svd": return calling(() => np.linalg.svd(a), (y) => singularDigest(general(n), n, flat(y.u ?? y.U ?? y[0]), flat(y.s ?? y.S ?? y[1]), flat(y.vt ?? y.Vh ?? y.vh ?? y[2])));
        default: return calling(() => np.linalg.eigh(s), (y) => eigenDigest(host, n, flat(y.w ?? y.eigenvalues ?? y[0]), flat(y.v ?? y.eigenvectors ?? y[1])));
      }
    },

    convolutions: () => { throw new Unsupported("has no convolution of images"); },
    mlp: noDerivatives, rosenbrock: noDerivatives, logistic: noDerivatives, cnn: noDerivatives, lstm: noDerivatives, descent: noDerivatives,
  };
}
