import { jit, type NDArray } from "@hessia/core";
import * as linalg from "@hessia/linalg";
import { type Adapter, numberOf, textOf } from "../../harness/case.js";
import { digest } from "../../harness/data.js";
import { absoluteDigest, definite, eigenDigest, general, rightSide, singularDigest } from "../../tasks/linear-algebra.js";
import { array, discard } from "./arrays.js";

export const linearAlgebra: Adapter = {
  linalg(params) {
    const n = numberOf(params, "n");
    const host = definite(n);
    const [a, s, b] = [array(general(n), [n, n]), array(host, [n, n]), array(rightSide(n), [n])];
    switch (textOf(params, "op")) {
      case "cholesky": {
        const f = jit((x: NDArray) => linalg.cholesky(x));
        return { run: () => discard(f(s)), digest: () => digest(f(s).data) };
      }
      case "solve": {
        const f = jit((x: NDArray, y: NDArray) => linalg.solve(x, y));
        return { run: () => discard(f(a, b)), digest: () => digest(f(a, b).data) };
      }
      case "qr": {
        const f = jit((x: NDArray) => { const { q, r } = linalg.qr(x); return [q, r] as const; });
        return { run: () => discard(f(a)), digest: () => absoluteDigest(f(a)[1].data) };
      }
      case "svd": {
        const f = jit((x: NDArray) => { const { u, s, vt } = linalg.svd(x); return [u, s, vt] as const; });
        return {
          run: () => discard(f(a)),
          digest() {
            const [u, sigma, vt] = f(a);
            return singularDigest(general(n), n, u.data, sigma.data, vt.data);
          },
        };
      }
      default: {
        const f = jit((x: NDArray) => { const { eigenvalues, eigenvectors } = linalg.eigh(x); return [eigenvalues, eigenvectors] as const; });
        return {
          run: () => discard(f(s)),
          digest() {
            const [w, v] = f(s);
            return eigenDigest(host, n, w.data, v.data);
          },
        };
      }
    }
  },
};
