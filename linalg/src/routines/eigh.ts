import { defineRoutine } from "@hessia/core/extend";
import type { MatrixBatch } from "./cholesky.js";
import { unitScale } from "./unit-scale.js";

/**
 * Eigenvalues in ascending order and orthonormal eigenvectors (columns) of symmetric matrices: Householder reduction to tridiagonal form,
 * then implicit QL with Wilkinson shifts (Golub & Van Loan, §8.3). Reads the lower triangle. NaN where the iteration does not converge.
 */
export const eighRoutine = defineRoutine<MatrixBatch>({
  name: "linalg.eigh",
  reference([a], [w, v], { batch, n }) {
    // Rows of `z` are the vectors in the making, so that rotations run along contiguous memory.
    const z = new Float64Array(n * n);
    const d = new Float64Array(n);
    const e = new Float64Array(n);
    for (let g = 0; g < batch; g++) {
      const from = a!.data.subarray(g * n * n, (g + 1) * n * n);
      for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) z[i * n + j] = z[j * n + i] = from[i * n + j]!;
      const scale = unitScale(z);
      for (let i = 0; i < n * n; i++) z[i] = z[i]! * scale;
      const finite = z.every(Number.isFinite);
      if (finite) tridiagonalize(z, d, e, n);
      const converged = finite && implicitQl(z, d, e, n);
      const order = Array.from({ length: n }, (_, i) => i).sort((x, y) => d[x]! - d[y]!);
      for (let k = 0; k < n; k++) {
        const column = order[k]!;
        w!.data[g * n + k] = converged ? d[column]! / scale : NaN;
        for (let i = 0; i < n; i++) v!.data[(g * n + i) * n + k] = converged ? z[column * n + i]! : NaN;
      }
    }
  },
});

/** The eigenvalues alone. */
export const eigvalshRoutine = defineRoutine<MatrixBatch>({
  name: "linalg.eigvalsh",
  reference([a], [w], sizes) {
    const { batch, n } = sizes;
    eighRoutine.reference([a!], [w!, { shape: [batch, n, n], dtype: a!.dtype, data: new Float64Array(batch * n * n) }], sizes);
  },
});

/** What is left of columns that depend on others gets smaller by rounding errors from step to step; of subnormal numbers no reflector is orthogonal. */
const negligible = 1e-250;

/** A = Q T Q' for A with its largest element near 1. On return d and e hold T (e[i] couples i and i+1) and the rows of z the columns of Q. */
function tridiagonalize(z: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  const taus = new Float64Array(Math.max(0, n - 2));
  const p = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    const len = n - k - 1;
    const at = k * n + k + 1;
    let scale = 0;
    for (let i = 0; i < len; i++) scale = Math.max(scale, Math.abs(z[at + i]!));
    let rest = 0;
    for (let i = 1; i < len; i++) rest = Math.max(rest, Math.abs(z[at + i]!));
    if (rest <= negligible) {
      e[k] = z[at]!;
      continue;
    }
    let sum = 0;
    for (let i = 0; i < len; i++) sum += (z[at + i]! / scale) ** 2;
    const alpha = z[at]!;
    const beta = -Math.sign(alpha || 1) * scale * Math.sqrt(sum);
    const tau = (beta - alpha) / beta;
    for (let i = 1; i < len; i++) z[at + i] = z[at + i]! / (alpha - beta);
    z[at] = 1;
    taus[k] = tau;
    e[k] = beta;
    // p = tau A v, w = p - (tau/2)(p'v) v, A -= v w' + w v'
    let dot = 0;
    for (let i = 0; i < len; i++) {
      const row = (k + 1 + i) * n + k + 1;
      let s = 0;
      for (let j = 0; j < len; j++) s += z[row + j]! * z[at + j]!;
      p[i] = tau * s;
      dot += p[i]! * z[at + i]!;
    }
    const half = (tau / 2) * dot;
    for (let i = 0; i < len; i++) p[i] = p[i]! - half * z[at + i]!;
    for (let i = 0; i < len; i++) {
      const row = (k + 1 + i) * n + k + 1;
      const [vi, wi] = [z[at + i]!, p[i]!];
      for (let j = 0; j < len; j++) z[row + j] = z[row + j]! - vi * p[j]! - wi * z[at + j]!;
    }
  }
  if (n > 1) e[n - 2] = z[(n - 2) * n + n - 1]!;
  for (let i = 0; i < n; i++) d[i] = z[i * n + i]!;
  if (n > 0) e[n - 1] = 0;
  // Q' row by row: start from the identity and apply the reflectors from the last to the first.
  const reflectors = z.slice();
  z.fill(0);
  for (let i = 0; i < n; i++) z[i * n + i] = 1;
  for (let k = n - 3; k >= 0; k--) {
    const tau = taus[k]!;
    if (tau === 0) continue;
    const at = k * n + k + 1;
    const len = n - k - 1;
    for (let r = k + 1; r < n; r++) {
      const row = r * n + k + 1;
      let s = 0;
      for (let j = 0; j < len; j++) s += z[row + j]! * reflectors[at + j]!;
      s *= tau;
      for (let j = 0; j < len; j++) z[row + j] = z[row + j]! - s * reflectors[at + j]!;
    }
  }
}

/** Diagonalizes T, rotating the rows of z along. False when an eigenvalue takes more than 50 sweeps. */
function implicitQl(z: Float64Array, d: Float64Array, e: Float64Array, n: number): boolean {
  // What is negligible beside the elements so far (Bowdler, Martin, Reinsch, Wilkinson 1968): beside its neighbours alone, which are
  // rounding where the matrix has low rank, nothing might ever be.
  let largest = 0;
  for (let l = 0; l < n; l++) {
    largest = Math.max(largest, Math.abs(d[l]!) + Math.abs(e[l]!));
    for (let sweep = 0; ; sweep++) {
      let m = l;
      for (; m < n - 1; m++) if (Math.abs(e[m]!) <= Number.EPSILON * largest) break;
      if (m === l) break;
      if (sweep === 50) return false;
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.hypot(g, 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
      let s = 1;
      let c = 1;
      let p = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i]!;
        const b = c * e[i]!;
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] = d[i + 1]! - p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        const [lo, hi] = [i * n, (i + 1) * n];
        for (let k = 0; k < n; k++) {
          const t = z[hi + k]!;
          z[hi + k] = s * z[lo + k]! + c * t;
          z[lo + k] = c * z[lo + k]! - s * t;
        }
      }
      if (r === 0 && i >= l) continue;
      d[l] = d[l]! - p;
      e[l] = g;
      e[m] = 0;
    }
  }
  return true;
}
