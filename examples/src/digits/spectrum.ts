import { jit, type NDArray } from "@hessia/core";
import { hvp, ravelPytree } from "@hessia/autodiff";
import { eigsh, type EigshResult } from "@hessia/linalg";
import type { Digits } from "./data.js";
import { loss, type Params } from "./train.js";

/** The largest eigenvalues of the loss's Hessian at trained parameters, by Lanczos on Hessian-vector products: no n by n matrix anywhere. */
export function topHessianEigenvalues(params: Params, data: Digits, k: number): EigshResult & { readonly parameters: number } {
  const [flat, unravel] = ravelPytree(params);
  const product = jit((x: NDArray, v: NDArray): NDArray => hvp((w: NDArray) => loss(unravel(w) as Params, data.images, data.labels), [x], [v])[1] as NDArray, { name: "hvp" });
  const result = eigsh((v) => product(flat, v), { n: flat.size, k, which: "LA", tol: 1e-4, dtype: "float32" });
  return { ...result, parameters: flat.size };
}
