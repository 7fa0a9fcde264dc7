/** Products of other shapes, convolutions and pooling. */
import { jit, lax, type NDArray, np } from "@hessia/core";
import { grad } from "@hessia/autodiff";
import { type Adapter, elementOf, numberOf } from "../../harness/case.js";
import { digest } from "../../harness/data.js";
import { arraysOf, convolutionOf, pooledImages, pooledShape, shapesOf } from "../../tasks/convolutions.js";
import { operands, productOf } from "../../tasks/products.js";
import { array, discard } from "./arrays.js";

const calling = (call: () => NDArray) => ({ run: () => discard(call()), digest: () => digest(call().data) });

export const products: Adapter = {
  products(params) {
    const p = productOf(params);
    const [a, b] = operands(p, elementOf(params)).map((v, i) => array(v, p.shapes[i]!)) as [NDArray, NDArray];
    const { matmul, spec } = p;
    const turned = (x: NDArray, flip: boolean): NDArray => (flip ? np.swapaxes(x, -1, -2) : x);
    const f = (x: NDArray, y: NDArray): NDArray => (matmul ? np.matmul(turned(x, matmul.ta), turned(y, matmul.tb)) : np.einsum(spec, x, y));
    if (p.same) {
      const g = jit((x: NDArray) => f(x, x));
      return calling(() => g(a));
    }
    const g = jit(f);
    return calling(() => g(a, b));
  },

  convolutions(params) {
    if (params["op"] !== undefined) {
      const x = array(pooledImages(), pooledShape);
      const window = [numberOf(params, "window"), numberOf(params, "window")];
      const f = jit((v: NDArray) => lax[params["op"] === "max" ? "maxPool" : "avgPool"](v, window, { strides: 2 }));
      return calling(() => f(x));
    }
    const c = convolutionOf(params);
    const [x, k, t] = arraysOf(c).map((v, i) => array(v, shapesOf(c)[i]!)) as [NDArray, NDArray, NDArray];
    const conv = (a: NDArray, b: NDArray): NDArray => lax.convGeneralDilated(a, b, [c.stride, c.stride], "SAME", { dimensionNumbers: ["NHWC", "HWIO", "NHWC"], featureGroupCount: c.groups });
    if (c.what === "forward") {
      const f = jit(conv);
      return calling(() => f(x, k));
    }
    const f = jit(grad((a: NDArray, b: NDArray, ct: NDArray) => np.sum(conv(a, b).mul(ct)), { argnums: c.what === "input" ? 0 : 1 }));
    return calling(() => f(x, k, t) as NDArray);
  },
};
