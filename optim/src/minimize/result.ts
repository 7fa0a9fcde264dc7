import type { NDArray } from "@hessia/core";

/** Fields as in SciPy's `OptimizeResult`. */
export interface OptimizeResult<P> {
  /** The solution, in the structure of x0. */
  readonly x: P;
  readonly fun: number;
  /** Gradient at the solution, in the structure of x0. */
  readonly jac: P;
  /** Hessian at the solution over the flattened parameters, for methods that build it. */
  readonly hess?: NDArray;
  /** Approximate inverse Hessian over the flattened parameters ("BFGS"), or its product with a vector ("L-BFGS"). */
  readonly hessInv?: NDArray | ((v: NDArray) => NDArray);
  readonly nit: number;
  readonly nfev: number;
  readonly njev: number;
  readonly nhev: number;
  readonly success: boolean;
  /** 0 on success; 1: iterations ran out; 2: precision loss or failed line search; 3: NaN or infinity met; 99: stopped by the callback. */
  readonly status: number;
  readonly message: string;
}

/** What a method hands back; `minimize` adds counts and structure. */
export interface MethodResult {
  readonly x: NDArray;
  readonly f: number;
  readonly g: NDArray;
  readonly hess?: NDArray;
  readonly hessInv?: NDArray | ((v: NDArray) => NDArray);
  readonly nit: number;
  readonly status: number;
  readonly message: string;
}

export const messages = {
  success: "Optimization terminated successfully.",
  maxiter: "Maximum number of iterations has been exceeded.",
  precisionLoss: "Desired error not necessarily achieved due to precision loss: the line search found no acceptable step.",
  nan: "NaN or infinity in the objective or its gradient.",
  callback: "Stopped by the callback.",
} as const;
