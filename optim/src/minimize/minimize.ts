import { ArgumentError, type ArrayLike, type NDArray } from "@hessia/core";
import { bfgs } from "./bfgs.js";
import { lbfgs } from "./lbfgs.js";
import { newtonCg } from "./newton-cg.js";
import { type Derivatives, Problem } from "./problem.js";
import type { MethodResult, OptimizeResult } from "./result.js";
import { steihaug } from "./trust-ncg.js";
import { exactSubproblem } from "./trust-exact.js";
import { trustRegion } from "./trust-region.js";

export type MinimizeMethod = "BFGS" | "L-BFGS" | "Newton-CG" | "trust-ncg" | "trust-exact";

/** SciPy's option names; each method reads those it knows. */
export interface MinimizeOptions {
  readonly gtol?: number;
  readonly ftol?: number;
  readonly xtol?: number;
  readonly xrtol?: number;
  readonly maxiter?: number;
  /** Pairs that "L-BFGS" keeps (default 10). */
  readonly maxcor?: number;
  readonly c1?: number;
  readonly c2?: number;
  readonly initialTrustRadius?: number;
  readonly maxTrustRadius?: number;
  readonly eta?: number;
}

export interface MinimizeArguments<P> extends Derivatives<P> {
  /** Default "BFGS". */
  readonly method?: MinimizeMethod;
  /** Sets the method's own tolerance. */
  readonly tol?: number;
  /** Called after each iteration; returning true stops. */
  readonly callback?: (state: { readonly x: P; readonly fun: number }) => boolean | void;
  readonly options?: MinimizeOptions;
}

const methods: readonly MinimizeMethod[] = ["BFGS", "L-BFGS", "Newton-CG", "trust-ncg", "trust-exact"];

/**
 * Minimizes a scalar function of a pytree of parameters, with exact gradients and Hessian products by automatic differentiation.
 *
 * - "BFGS": dense quasi-Newton. "L-BFGS": the same in 2 `maxcor` vectors. Both with strong Wolfe line search.
 * - "Newton-CG": inexact Newton with line search; "trust-ncg": Steihaug's trust region; both need no n^2 memory.
 * - "trust-exact": the trust-region problem solved exactly from the dense Hessian; handles indefinite Hessians and the hard case.
 * @returns SciPy's fields: x fun jac hess hessInv nit nfev njev nhev success status message.
 * @throws ArgumentError for an unknown method; ShapeError for an objective that is not scalar; DTypeError for integer parameters.
 * @example minimize((x) => np.sum(np.square(np.subtract(x, 3))), np.zeros([2]), { method: "trust-exact" }).x // [3, 3]
 */
export function minimize<P>(fun: (x: P) => ArrayLike, x0: P, args: MinimizeArguments<P> = {}): OptimizeResult<P> {
  const method = args.method ?? "BFGS";
  if (!methods.includes(method)) throw new ArgumentError({ fn: "minimize", arg: "method", expected: `one of ${methods.join(", ")}`, got: String(method), fix: "choose one of these (SciPy's other methods are not here yet)" });
  const problem = new Problem("minimize", fun, x0, args);
  const o = args.options ?? {};
  const n = problem.start.size;
  const callback = (x: NDArray, f: number) => args.callback?.({ x: problem.unravel(x), fun: f }) === true;
  const search = { c1: o.c1 ?? 1e-4, c2: o.c2 ?? 0.9, callback };
  const run = (): MethodResult => {
    switch (method) {
      case "BFGS": return bfgs(problem, { ...search, gtol: o.gtol ?? args.tol ?? 1e-5, ftol: 0, xrtol: o.xrtol ?? 0, maxiter: o.maxiter ?? 200 * n, maxcor: 0 });
      case "L-BFGS": return lbfgs(problem, { ...search, gtol: o.gtol ?? args.tol ?? 1e-5, ftol: o.ftol ?? args.tol ?? 2.22e-9, xrtol: 0, maxiter: o.maxiter ?? 15000, maxcor: o.maxcor ?? 10 });
      case "Newton-CG": return newtonCg(problem, { ...search, xtol: o.xtol ?? args.tol ?? 1e-5, gtol: o.gtol ?? 0, maxiter: o.maxiter ?? 200 * n });
      case "trust-ncg":
      case "trust-exact":
        return trustRegion(problem, (at) => (method === "trust-ncg" ? steihaug(problem, at) : exactSubproblem(problem, at)), { gtol: o.gtol ?? args.tol ?? 1e-4, maxiter: o.maxiter ?? 200 * n, initialTrustRadius: o.initialTrustRadius ?? 1, maxTrustRadius: o.maxTrustRadius ?? 1000, eta: o.eta ?? 0.15, callback });
    }
  };
  const r = run();
  return {
    x: problem.unravel(r.x), fun: r.f, jac: problem.unravel(r.g), ...(r.hess ? { hess: r.hess } : {}), ...(r.hessInv ? { hessInv: r.hessInv } : {}),
    nit: r.nit, nfev: problem.nfev, njev: problem.njev, nhev: problem.nhev, success: r.status === 0, status: r.status, message: r.message,
  };
}
