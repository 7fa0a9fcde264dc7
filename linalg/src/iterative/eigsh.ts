import { ArgumentError, type ArrayLike, jit, lax, type NDArray, np, random, ShapeError } from "@hessia/core";
import { formatAval } from "@hessia/core/extend";
import { eigh } from "../factorizations/eigh.js";

export interface EigshOptions {
  /** Number of eigenvalues (default 6). */
  readonly k?: number;
  /** "LA" largest, "SA" smallest, "LM" largest in magnitude (default). */
  readonly which?: "LM" | "LA" | "SA";
  /** Length of the vectors; needed when the operator is a function and v0 is not given. */
  readonly n?: number;
  /** Starting vector; drawn from `key` by default. */
  readonly v0?: ArrayLike;
  readonly key?: NDArray;
  /** Residual |A v - w v| relative to the largest |w| (default 1e-10). */
  readonly tol?: number;
  /** Products with A at most (default min(n, max(20 k, 200))). */
  readonly maxiter?: number;
  readonly dtype?: "float32" | "float64";
}

export interface EigshResult {
  /** Ascending, [k]. */
  readonly eigenvalues: NDArray;
  /** In columns, [n, k]. */
  readonly eigenvectors: NDArray;
  /** |A v - w v| of each. */
  readonly residuals: NDArray;
  readonly converged: boolean;
  /** Products with A. */
  readonly iterations: number;
}

/** `w - Q (Q' w)` twice: once is not enough for orthogonality to working precision (Kahan's rule). */
const orthogonalize = jit((basis: NDArray, w: NDArray): NDArray => {
  const once = (v: NDArray) => np.subtract(v, np.matmul(np.matmul(basis, v), basis));
  return once(once(w));
}, { name: "orthogonalize" });

/** The basis with row j set: its capacity is fixed, so that one compiled program serves every step. */
const setRow = jit((basis: NDArray, v: NDArray, j: NDArray): NDArray => lax.dynamicUpdateSlice(basis, np.expandDims(v, 0), [j, 0]), { name: "setRow", donateArgnums: 0 });

const length = (v: NDArray): number => Math.sqrt(Number(np.sum(np.square(v)).item()));

/**
 * A few extreme eigenpairs of a symmetric operator that is known by its products alone: Lanczos with full reorthogonalization (Paige 1972;
 * Parlett 1980). Memory: one basis vector an iteration. Runs outside of `jit`: it stops by the residuals.
 * @param A a symmetric matrix [n, n], or a function v => A v of vectors [n].
 * @throws ArgumentError when k is out of range or the length is unknown; ShapeError when A v has another shape than v.
 * @example eigsh((v) => hvpFn(loss, [w])(v), { n: w.size, k: 3, which: "LA" }).eigenvalues
 */
export function eigsh(A: ArrayLike | ((v: NDArray) => NDArray), options: EigshOptions = {}): EigshResult {
  const matrix = typeof A === "function" ? undefined : np.asarray(A);
  const apply = typeof A === "function" ? A : (v: NDArray) => np.matmul(matrix!, v);
  const v0 = options.v0 === undefined ? undefined : np.asarray(options.v0);
  const n = v0?.size ?? matrix?.shape[0] ?? options.n;
  if (n === undefined) throw new ArgumentError({ fn: "eigsh", arg: "n", expected: "the length of the vectors", got: "neither n nor v0", fix: "pass { n }" });
  const { k = Math.min(6, n), which = "LM", tol = 1e-10, maxiter = Math.min(n, Math.max(20 * k, 200)) } = options;
  if (!Number.isInteger(k) || k < 1 || k > n) throw new ArgumentError({ fn: "eigsh", arg: "k", expected: `an integer from 1 to ${n}`, got: String(k), fix: "ask for fewer eigenvalues" });
  const dtype = options.dtype ?? (v0?.dtype === "float32" || matrix?.dtype === "float32" ? "float32" : "float64");
  let v = (v0 ?? random.normal(options.key ?? random.key(0), [n], { dtype })).astype(dtype);
  v = np.divide(v, length(v));
  const capacity = Math.min(n, maxiter);
  let q = np.zeros([capacity, n], { dtype });
  const alpha: number[] = [];
  const beta: number[] = [];
  const rounding = dtype === "float32" ? 1e-6 : 1e-14;
  for (let j = 0; ; j++) {
    q = setRow(q, v, np.asarray(j).astype("int32"));
    const w = apply(v);
    if (w.shape.join() !== v.shape.join()) throw new ShapeError({ fn: "eigsh", arg: "A", expected: `a result of type ${formatAval(v.aval)}`, got: formatAval(w.aval), fix: "make A map vectors to vectors" });
    alpha.push(Number(np.sum(np.multiply(v, w)).item()));
    let rest = orthogonalize(q, w);
    let b = length(rest);
    const last = j + 1 >= maxiter || j + 1 === n;
    const ritz = j + 1 >= k && (last || b === 0 || (j + 1) % 5 === 0) ? ritzPairs(alpha, beta, k, which) : undefined;
    const scale = ritz?.scale ?? Math.max(...alpha.map(Math.abs), ...beta);
    const invariant = b <= rounding * Math.max(scale, Number.MIN_VALUE);
    if (ritz || (invariant && j + 1 >= k)) {
      const r = ritz ?? ritzPairs(alpha, beta, k, which);
      const residuals = r.lastRow.map((s) => Math.abs((invariant ? 0 : b) * s));
      const converged = residuals.every((e) => e <= tol * Math.max(r.scale, Number.MIN_VALUE)) || j + 1 === n;
      if (converged || last)
        return { eigenvalues: np.asarray(Float64Array.from(r.values)).astype(dtype), eigenvectors: np.matmul(np.transpose(q.get(`:${j + 1}`)), r.vectors.astype(dtype)), residuals: np.asarray(Float64Array.from(residuals)), converged, iterations: j + 1 };
    }
    if (invariant) {
      // The start vector lies in an invariant subspace: go on in its complement.
      rest = orthogonalize(q, random.normal(random.foldIn(options.key ?? random.key(0), j + 1), [n], { dtype }));
      v = np.divide(rest, length(rest));
      b = 0;
    } else v = np.divide(rest, b);
    beta.push(b);
  }
}

/** Wanted eigenpairs of the tridiagonal matrix, ascending, with the last components of their vectors. */
function ritzPairs(alpha: readonly number[], beta: readonly number[], k: number, which: "LM" | "LA" | "SA") {
  const m = alpha.length;
  const t = Array.from({ length: m }, (_, i) => Array.from({ length: m }, (_v, j) => (i === j ? alpha[i]! : Math.abs(i - j) === 1 ? beta[Math.min(i, j)]! : 0)));
  const { eigenvalues, eigenvectors } = eigh(np.array(t));
  const w = Array.from(eigenvalues.data);
  const score = (i: number) => (which === "LM" ? Math.abs(w[i]!) : which === "LA" ? w[i]! : -w[i]!);
  const chosen = w.map((_, i) => i).sort((a, b) => score(b) - score(a)).slice(0, k).sort((a, b) => a - b);
  const s = eigenvectors.data;
  return { values: chosen.map((i) => w[i]!), vectors: np.take(eigenvectors, np.asarray(Int32Array.from(chosen)), 1), lastRow: chosen.map((i) => s[(m - 1) * m + i]!), scale: Math.max(...w.map(Math.abs)) };
}
