import { type Bar, bar, type Case, javascriptPeers, type Task } from "../harness/case.js";
import { centered, digest } from "../harness/data.js";

export const general = (n: number) => centered(n * n, 60, "float64") as Float64Array;
export const rightSide = (n: number) => centered(n, 61, "float64") as Float64Array;
/** A A^T / n + I: symmetric positive definite. */
export function definite(n: number): Float64Array {
  const a = general(n);
  const s = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[i * n + k]! * a[j * n + k]!;
      s[i * n + j] = s[j * n + i] = sum / n + (i === j ? 1 : 0);
    }
  return s;
}

function choleskyFactor(s: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = s[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j]!;
    }
  return l;
}

/** Gaussian elimination with partial pivoting. */
function solution(matrix: Float64Array, right: Float64Array, n: number): Float64Array {
  const a = matrix.slice();
  const x = right.slice();
  for (let k = 0; k < n; k++) {
    let p = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[p * n + k]!)) p = i;
    for (let j = 0; j < n; j++) [a[k * n + j], a[p * n + j]] = [a[p * n + j]!, a[k * n + j]!];
    [x[k], x[p]] = [x[p]!, x[k]!];
    for (let i = k + 1; i < n; i++) {
      const f = a[i * n + k]! / a[k * n + k]!;
      for (let j = k; j < n; j++) a[i * n + j]! -= f * a[k * n + j]!;
      x[i]! -= f * x[k]!;
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) x[i]! -= a[i * n + j]! * x[j]!;
    x[i]! /= a[i * n + i]!;
  }
  return x;
}

/** |R| of A = Q R by Gram and Schmidt, orthogonalized twice. */
function triangularFactor(a: Float64Array, n: number): Float64Array {
  const q = Array.from({ length: n }, (_, j) => Float64Array.from({ length: n }, (_v, i) => a[i * n + j]!));
  const r = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const v = q[j]!;
    for (let pass = 0; pass < 2; pass++)
      for (let i = 0; i < j; i++) {
        const u = q[i]!;
        let dot = 0;
        for (let k = 0; k < n; k++) dot += u[k]! * v[k]!;
        r[i * n + j]! += dot;
        for (let k = 0; k < n; k++) v[k]! -= dot * u[k]!;
      }
    const length = Math.hypot(...v);
    r[j * n + j] = length;
    for (let k = 0; k < n; k++) v[k]! /= length;
  }
  return r.map(Math.abs);
}

/**
 * What tells whether eigenvalues w and vectors V (in columns) are those of S: the sums of w, w^2 and w^3, which are the traces of
 * the powers of S, and the largest residual of S v = w v, which is zero.
 */
export function eigenDigest(s: Float64Array, n: number, w: ArrayLike<number>, v: ArrayLike<number>): number[] {
  const powers = [0, 0, 0];
  let residual = 0;
  for (let j = 0; j < n; j++) {
    for (let p = 0; p < 3; p++) powers[p]! += w[j]! ** (p + 1);
    if (j % 16 !== 0 && j !== n - 1) continue;
    for (let i = 0; i < n; i++) {
      let sum = -w[j]! * v[i * n + j]!;
      for (let k = 0; k < n; k++) sum += s[i * n + k]! * v[k * n + j]!;
      residual = Math.max(residual, Math.abs(sum));
    }
  }
  return [...powers, residual];
}

function traces(s: Float64Array, n: number): number[] {
  let [one, two, three] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    one += s[i * n + i]!;
    for (let j = 0; j < n; j++) {
      two += s[i * n + j]! ** 2;
      let square = 0;
      for (let k = 0; k < n; k++) square += s[i * n + k]! * s[j * n + k]!;
      three += square * s[i * n + j]!;
    }
  }
  return [one, two, three, 0];
}

/** The same for U, s and V' of A: the sums of s^2 and s^4 are the traces of the powers of A A', and the residual is that of A' u = s v. */
export function singularDigest(a: Float64Array, n: number, u: ArrayLike<number>, s: ArrayLike<number>, vt: ArrayLike<number>): number[] {
  const powers = [0, 0];
  let residual = 0;
  for (let k = 0; k < n; k++) {
    for (let p = 0; p < 2; p++) powers[p]! += s[k]! ** (2 * p + 2);
    if (k % 16 !== 0 && k !== n - 1) continue;
    for (let j = 0; j < n; j++) {
      let sum = -s[k]! * vt[k * n + j]!;
      for (let i = 0; i < n; i++) sum += a[i * n + j]! * u[i * n + k]!;
      residual = Math.max(residual, Math.abs(sum));
    }
  }
  return [...powers, residual];
}

function singularTraces(a: Float64Array, n: number): number[] {
  let [one, two] = [0, 0];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      one += a[i * n + j]! ** 2;
      let product = 0;
      for (let k = 0; k < n; k++) product += a[i * n + k]! * a[j * n + k]!;
      two += product * product;
    }
  return [one, two, 0];
}

/** The digest of R: signs of its rows are free. */
export const absoluteDigest = (r: ArrayLike<number>): number[] => digest(r).map(Math.abs);

const references: Record<string, (n: number) => number[]> = {
  cholesky: (n) => digest(choleskyFactor(definite(n), n)),
  solve: (n) => digest(solution(general(n), rightSide(n), n)),
  qr: (n) => digest(triangularFactor(general(n), n)),
  eigh: (n) => traces(definite(n), n),
  svd: (n) => singularTraces(general(n), n),
};

const bars: Record<string, Bar[]> = {
  cholesky: [bar(1, javascriptPeers), bar(0.3, "numpy")],
  solve: [bar(1, javascriptPeers), bar(0.3, "numpy")],
  qr: [bar(10, javascriptPeers), bar(0.3, "numpy")],
  eigh: [bar(30, javascriptPeers), bar(0.3, "numpy")],
  svd: [bar(0.3, "numpy")],
};

const cases = [128, 512].flatMap((n) =>
  // A solution carries the condition of its matrix, some thousands.
  Object.keys(references).map((op): Case => ({ name: `${op} ${n}`, params: { op, n }, expected: () => ({ values: references[op]!(n), tolerance: op === "solve" ? 1e-9 : 1e-11 }), bars: bars[op]!, slow: n > 128 })),
);

export const linearAlgebra: Task = { name: "linalg", title: "Factorizations in float64", cases };
