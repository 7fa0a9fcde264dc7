import { defineRoutine } from "@hessia/core/extend";
import { unitScale } from "./unit-scale.js";

export interface QrSizes { readonly batch: number; readonly m: number; readonly n: number; /** Columns of Q: min(m, n) reduced, m complete. */ readonly columns: number }

/**
 * Householder QR (Golub & Van Loan, Matrix Computations, alg. 5.2.1), LAPACK's signs: the reflector of column c takes it to
 * `-sign(a[c]) norm`. Works on a column-major copy in double precision.
 */
export const qrRoutine = defineRoutine<QrSizes>({
  name: "linalg.qr",
  reference([a], [q, r], { batch, m, n, columns }) {
    const k = Math.min(m, n);
    const w = new Float64Array(m * n);
    const tau = new Float64Array(k);
    const acc = new Float64Array(m * columns);
    for (let g = 0; g < batch; g++) {
      const from = a!.data.subarray(g * m * n, (g + 1) * m * n);
      for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) w[j * m + i] = from[i * n + j]!;
      for (let c = 0; c < k; c++) {
        tau[c] = reflector(w, c * m + c, m - c);
        for (let j = c + 1; j < n; j++) reflect(w, c * m + c, tau[c]!, w, j * m + c, m - c);
      }
      const R = r!.data.subarray(g * columns * n, (g + 1) * columns * n);
      for (let i = 0; i < columns; i++) for (let j = 0; j < n; j++) R[i * n + j] = i <= j && i < k ? w[j * m + i]! : 0;
      // Q = H_0 H_1 ... applied to the identity, from the last reflector.
      acc.fill(0);
      for (let j = 0; j < columns; j++) acc[j * m + j] = 1;
      for (let c = k - 1; c >= 0; c--) for (let j = 0; j < columns; j++) reflect(w, c * m + c, tau[c]!, acc, j * m + c, m - c);
      const Q = q!.data.subarray(g * m * columns, (g + 1) * m * columns);
      for (let i = 0; i < m; i++) for (let j = 0; j < columns; j++) Q[i * columns + j] = acc[j * m + i]!;
    }
  },
});

/** Turns `x = w[at : at + len]` into (beta, v[1:]) with (I - tau v v') x = beta e1, v[0] = 1; returns tau. */
function reflector(w: Float64Array, at: number, len: number): number {
  const x = w.subarray(at, at + len);
  if (x.every((value, i) => i === 0 || value === 0)) return 0;
  // Of subnormal numbers no reflector would be orthogonal.
  const scale = unitScale(x);
  const alpha = x[0]! * scale;
  let sum = 0;
  for (const value of x) sum += (value * scale) ** 2;
  const beta = -Math.sign(alpha || 1) * Math.sqrt(sum);
  for (let i = 1; i < len; i++) x[i] = (x[i]! * scale) / (alpha - beta);
  x[0] = beta / scale;
  return (beta - alpha) / beta;
}

/** `y -= tau v (v' y)`, where v[0] = 1 is not stored. */
function reflect(v: Float64Array, at: number, tau: number, y: Float64Array, to: number, len: number): void {
  if (tau === 0) return;
  let s = y[to]!;
  for (let i = 1; i < len; i++) s += v[at + i]! * y[to + i]!;
  s *= tau;
  y[to] = y[to]! - s;
  for (let i = 1; i < len; i++) y[to + i] = y[to + i]! - s * v[at + i]!;
}
