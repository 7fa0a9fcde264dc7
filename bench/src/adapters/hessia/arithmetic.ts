/** Matrix products, fused loops, reductions, sorting and indexing, and small calls. */
import { jit, type NDArray, np } from "@hessia/core";
import * as nn from "@hessia/nn";
import { type Adapter, elementOf, numberOf, textOf } from "../../harness/case.js";
import { centered, digest, uniform } from "../../harness/data.js";
import { chainLength } from "../../tasks/dispatch.js";
import { numbers, positions, shapeOf } from "../../tasks/indexing.js";
import { axisOf, columns, input, type ReductionName, rows } from "../../tasks/reductions.js";
import { array, discard } from "./arrays.js";

export const arithmetic: Adapter = {
  matmul(params) {
    const n = numberOf(params, "n");
    const dtype = elementOf(params);
    const [a, b] = [array(centered(n * n, 1, dtype), [n, n]), array(centered(n * n, 2, dtype), [n, n])];
    const f = jit((x: NDArray, y: NDArray) => np.matmul(x, y));
    return { run: () => discard(f(a, b)), digest: () => digest(f(a, b).data) };
  },

  fused(params) {
    const n = numberOf(params, "n");
    const x = array(centered(n, 3, elementOf(params), 4), [n]);
    const f = jit((v: NDArray) => np.sum(np.tanh(v).mul(np.exp(np.negative(v.mul(v)))).add(v.mul(0.5))));
    return { run: () => discard(f(x)), digest: () => digest(f(x).data) };
  },

  reductions(params) {
    const x = array(input(), [rows, columns]);
    const op = textOf(params, "op");
    const axis = axisOf(params["axis"]!);
    const f = jit((v: NDArray) => (op === "logSoftmax" ? nn.logSoftmax(v) : op === "argmax" ? np.argmax(v, axis) : np[op as Exclude<ReductionName, "argmax">](v, axis)));
    return { run: () => discard(f(x)), digest: () => digest(f(x).data) };
  },

  indexing(params) {
    const [op, shape, axis] = [textOf(params, "op"), textOf(params, "shape"), numberOf(params, "axis")];
    const [x, at] = [array(numbers(elementOf(params)), shapeOf(shape)), np.array(positions(shape))];
    const f = jit((v: NDArray, i: NDArray) => (op === "take" ? np.take(v, i, 0) : op === "add" ? v.at(i).add(v) : np[op as "cumsum" | "sort" | "argsort"](v, axis)));
    return { run: () => discard(f(x, at)), digest: () => digest(f(x, at).data) };
  },

  dispatch(params) {
    const n = numberOf(params, "n");
    const x = array(uniform(Math.max(1, n), 5), n === 0 ? [] : [n]);
    const plain = (v: NDArray) => np.add(v, 1);
    const f = textOf(params, "mode") === "jit" ? jit(plain) : plain;
    const chain = (): NDArray => {
      let y = x;
      for (let i = 0; i < chainLength; i++) y = f(y);
      return y;
    };
    const call = textOf(params, "use") === "chain" ? chain : () => f(x);
    return { run: () => void call().data[0], digest: () => digest(call().data) };
  },
};
