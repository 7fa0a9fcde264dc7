import { defineRoutine } from "@hessia/core/extend";
import { unitScale } from "./unit-scale.js";

export interface SvdSizes { readonly batch: number; readonly m: number; readonly n: number }

/**
 * Thin singular value decomposition by one-sided Jacobi rotations (Hestenes 1958; de Rijk 1989): columns of a tall matrix are rotated until
 * orthogonal, so that small singular values keep their relative accuracy; nothing is squared. m >= n. NaN where there is no convergence.
 */
export const svdRoutine = defineRoutine<SvdSizes>({
  name: "linalg.svd",
  reference([a], [u, s, vt], { batch, m, n }) {
    const w = new Float64Array(m * n);
    const v = new Float64Array(n * n);
    for (let g = 0; g < batch; g++) {
      const from = a!.data.subarray(g * m * n, (g + 1) * m * n);
      const scale = unitScale(from);
      for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) w[j * m + i] = from[i * n + j]! * scale;
      v.fill(0);
      for (let j = 0; j < n; j++) v[j * n + j] = 1;
      const converged = w.every(Number.isFinite) && orthogonalize(w, v, m, n);
      const lengths = Array.from({ length: n }, (_, j) => Math.sqrt(dot(w, j * m, w, j * m, m)));
      const order = lengths.map((_, j) => j).sort((x, y) => lengths[y]! - lengths[x]!);
      completeBasis(w, lengths, m, n);
      for (let k = 0; k < n; k++) {
        const j = order[k]!;
        s!.data[g * n + k] = converged ? lengths[j]! / scale : NaN;
        for (let i = 0; i < m; i++) u!.data[(g * m + i) * n + k] = converged ? w[j * m + i]! : NaN;
        for (let i = 0; i < n; i++) vt!.data[(g * n + k) * n + i] = converged ? v[j * n + i]! : NaN;
      }
    }
  },
});

/** The singular values alone. */
export const svdvalsRoutine = defineRoutine<SvdSizes>({
  name: "linalg.svdvals",
  reference([a], [s], sizes) {
    const { batch, m, n } = sizes;
    const spare = (...shape: number[]) => ({ shape, dtype: a!.dtype, data: new Float64Array(shape.reduce((x, y) => x * y)) });
    svdRoutine.reference([a!], [spare(batch, m, n), s!, spare(batch, n, n)], sizes);
  },
});

function dot(a: Float64Array, i: number, b: Float64Array, j: number, len: number): number {
  let sum = 0;
  for (let k = 0; k < len; k++) sum += a[i + k]! * b[j + k]!;
  return sum;
}

/** Rotates columns (rows of the stored transposes) pairwise until all are orthogonal to rounding. */
function orthogonalize(w: Float64Array, v: Float64Array, m: number, n: number): boolean {
  // What is left of a column that depends on others is rounding, which no rotation makes orthogonal to them.
  let largest = 0;
  for (let j = 0; j < n; j++) largest = Math.max(largest, dot(w, j * m, w, j * m, m));
  const negligible = 1e-270 * largest;
  for (let sweep = 0; sweep < 60; sweep++) {
    let rotated = false;
    for (let p = 0; p < n - 1; p++)
      for (let q = p + 1; q < n; q++) {
        const alpha = dot(w, p * m, w, p * m, m);
        const beta = dot(w, q * m, w, q * m, m);
        if (alpha <= negligible || beta <= negligible) continue;
        const gamma = dot(w, p * m, w, q * m, m);
        if (gamma === 0 || Math.abs(gamma) <= 1e-15 * Math.sqrt(alpha * beta)) continue;
        rotated = true;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t);
        const sn = c * t;
        rotate(w, p * m, q * m, m, c, sn);
        rotate(v, p * n, q * n, n, c, sn);
      }
    if (!rotated) return true;
  }
  return false;
}

function rotate(x: Float64Array, p: number, q: number, len: number, c: number, s: number): void {
  for (let k = 0; k < len; k++) {
    const a = x[p + k]!;
    const b = x[q + k]!;
    x[p + k] = c * a - s * b;
    x[q + k] = s * a + c * b;
  }
}

/** Normalizes the columns; those of zero length are replaced so that U stays orthonormal. */
function completeBasis(w: Float64Array, lengths: number[], m: number, n: number): void {
  const largest = Math.max(0, ...lengths);
  const isZero = (j: number) => lengths[j]! <= 1e-300 || lengths[j]! <= Number.EPSILON * 1e-3 * largest;
  for (let j = 0; j < n; j++) if (!isZero(j)) for (let i = 0; i < m; i++) w[j * m + i] = w[j * m + i]! / lengths[j]!;
  const done = Array.from({ length: n }, (_, j) => !isZero(j));
  for (let j = 0; j < n; j++) {
    if (done[j]) continue;
    let best: { e: number; rest: number } = { e: 0, rest: -1 };
    for (let e = 0; e < m; e++) {
      let rest = 1;
      for (let k = 0; k < n; k++) if (done[k]) rest -= w[k * m + e]! ** 2;
      if (rest > best.rest) best = { e, rest };
    }
    for (let i = 0; i < m; i++) w[j * m + i] = i === best.e ? 1 : 0;
    for (let pass = 0; pass < 2; pass++)
      for (let k = 0; k < n; k++) {
        if (!done[k]) continue;
        const c = dot(w, j * m, w, k * m, m);
        for (let i = 0; i < m; i++) w[j * m + i] = w[j * m + i]! - c * w[k * m + i]!;
      }
    const len = Math.sqrt(dot(w, j * m, w, j * m, m));
    for (let i = 0; i < m; i++) w[j * m + i] = w[j * m + i]! / len;
    done[j] = true;
  }
}
