import { ArgumentError, type ArrayLike, foriLoop, type NDArray, np } from "@hessia/core";
import { eigh, eigvalsh, solve, solveTriangular } from "@hessia/linalg";

/** What to do with a Hessian that is not positive definite. */
export type Regularization = "none" | "levenberg" | "modifiedCholesky" | "eigFlip" | "eigClip";
export const regularizations: readonly Regularization[] = ["none", "levenberg", "modifiedCholesky", "eigFlip", "eigClip"];

export interface NewtonSystem {
  /** Minus the solution: the direction. */
  readonly direction: NDArray;
  /** Smallest eigenvalue of H as it came. */
  readonly lambdaMin: NDArray;
}

const epsilonOf = (x: NDArray): number => (x.dtype === "float32" ? 2 ** -23 : Number.EPSILON);

/**
 * `E = (I + L) D (I + L)'` with D positive: the matrix itself if it is safely positive definite, else one that differs from it as little as
 * bounded factors allow (Gill, Murray & Wright 1981, section 4.4.2.2). L is strictly lower triangular. Pivots are at least `minPivot` times the
 * size of the elements (default: rounding).
 */
export function modifiedCholesky(a: NDArray, minPivot?: ArrayLike): { readonly l: NDArray; readonly d: NDArray } {
  const n = a.shape[0]!;
  const eps = epsilonOf(a);
  const diagonal = np.abs(np.diagonal(a));
  const off = np.abs(np.multiply(a, np.subtract(1, np.eye(n, undefined, 0, { dtype: a.dtype }))));
  const [gamma, xi] = [np.max(diagonal), np.max(off)];
  const beta2 = np.maximum(np.maximum(gamma, np.divide(xi, Math.sqrt(Math.max(1, n * n - 1)))), eps);
  const delta = np.multiply(minPivot ?? eps, np.maximum(np.add(gamma, xi), eps));
  const rows = np.arange(n).astype("int32");
  const { l, d } = foriLoop(0, n, (j: NDArray, s: { l: NDArray; d: NDArray }) => {
    const c = np.subtract(np.take(a, j, 1), np.matmul(np.multiply(s.l, s.d), np.take(s.l, j, 0)));
    const below = np.greater(rows, j);
    const theta = np.max(np.where(below, np.abs(c), 0));
    const pivot = np.maximum(np.maximum(np.abs(np.take(c, j, 0)), np.divide(np.square(theta), beta2)), delta);
    const here = np.equal(rows, j);
    const column = np.where(below, np.divide(c, pivot), 0);
    return { l: np.add(s.l, np.multiply(np.expandDims(column, 1), here.astype(a.dtype))).astype(a.dtype), d: np.where(here, pivot, s.d).astype(a.dtype) };
  }, { l: np.zeros([n, n], { dtype: a.dtype }), d: np.zeros([n], { dtype: a.dtype }) });
  return { l, d };
}

/** Roots of the diagonal's absolute values: dividing by them makes the parameters' units irrelevant. */
function diagonalScale(h: NDArray): NDArray {
  const diagonal = np.abs(np.diagonal(h));
  return np.sqrt(np.where(diagonal.gt(0), diagonal, 1));
}
const rescaled = (h: NDArray, scale: NDArray): NDArray => np.divide(h, np.multiply(np.expandDims(scale, 1), scale));

/** `-V f(w)^-1 V' g`, f making eigenvalues positive. */
function eigenDirection(h: NDArray, g: NDArray, regularize: "eigFlip" | "eigClip"): NDArray {
  const eps = epsilonOf(h);
  const { eigenvalues: w, eigenvectors: v } = eigh(h, { checkFinite: false });
  const largest = np.max(np.abs(w));
  const floor = np.maximum(np.multiply(eps * h.shape[0]!, largest), 1e-300);
  // Clipping raises eigenvalues that are not safely positive to sqrt(eps) of the largest; those that are stay as they are.
  const used = regularize === "eigFlip" ? np.maximum(np.abs(w), floor) : np.where(np.greater(w, floor), w, np.maximum(np.multiply(Math.sqrt(eps), largest), 1e-300));
  return np.negative(np.matmul(v, np.divide(np.matmul(np.transpose(v), g), used)));
}

/**
 * The Newton direction `-H^-1 g` of the dense, possibly indefinite Hessian. Eigenvalues are changed in units where the diagonal is 1 when
 * `scaling` is "diagonal": parameters of different magnitude then do not hide each other's curvature.
 */
export function newtonDirection(h: NDArray, g: NDArray, regularize: Regularization, scaling: "diagonal" | "none"): NewtonSystem {
  const n = h.shape[0]!;
  const eps = epsilonOf(h);
  const eye = np.eye(n, undefined, 0, { dtype: h.dtype });
  const w = eigvalsh(h, { checkFinite: false });
  const lambdaMin = np.min(w);
  if (regularize === "eigFlip" || regularize === "eigClip") {
    if (scaling === "none") return { direction: eigenDirection(h, g, regularize), lambdaMin };
    const scale = diagonalScale(h);
    return { direction: np.divide(eigenDirection(rescaled(h, scale), np.divide(g, scale), regularize), scale), lambdaMin };
  }
  if (regularize === "none") return { direction: np.negative(solve(h, g, { checkFinite: false })), lambdaMin };
  if (regularize === "levenberg") {
    const largest = np.max(np.abs(w));
    const shift = np.where(np.greater(lambdaMin, np.multiply(eps * n, largest)), 0, np.subtract(np.maximum(np.multiply(1e-3, largest), 1e-8), lambdaMin));
    return { direction: np.negative(solve(np.add(h, np.multiply(shift, eye)), g, { assumeA: "pos", checkFinite: false })), lambdaMin };
  }
  if (regularize !== "modifiedCholesky") throw new ArgumentError({ fn: "newton", arg: "regularize", expected: regularizations.join(", "), got: String(regularize), fix: "choose one of them" });
  const scale = scaling === "none" ? np.ones([n], { dtype: h.dtype }) : diagonalScale(h);
  // An indefinite matrix may end in a pivot of rounding's size, that is in a step without bound: there pivots need a floor, elsewhere not.
  const definite = np.greater(lambdaMin, np.multiply(eps * n, np.max(np.abs(w))));
  const { l, d } = modifiedCholesky(rescaled(h, scale), np.where(definite, eps, 1e-3).astype(h.dtype));
  const lower = np.add(l, eye);
  const half = solveTriangular(lower, np.divide(g, scale), { lower: true, unitDiagonal: true });
  const direction = solveTriangular(lower, np.divide(half, d), { lower: true, trans: true, unitDiagonal: true });
  return { direction: np.negative(np.divide(direction, scale)), lambdaMin };
}
