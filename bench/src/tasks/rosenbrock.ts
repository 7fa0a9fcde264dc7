import { type Bar, bar, type Case, type Element, type SystemName, type Task } from "../harness/case.js";
import { centered, digest, inner, uniform } from "../harness/data.js";

export const point = (n: number, dtype: Element) => uniform(n, 30, dtype);
export const direction = (n: number, dtype: Element) => centered(n, 31, dtype);

/** f = sum_i 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2: its gradient. */
export function gradient(x: ArrayLike<number>): Float64Array {
  const g = new Float64Array(x.length);
  for (let i = 0; i + 1 < x.length; i++) {
    const r = x[i + 1]! - x[i]! * x[i]!;
    g[i]! += -400 * x[i]! * r - 2 * (1 - x[i]!);
    g[i + 1]! += 200 * r;
  }
  return g;
}

function hessian(x: ArrayLike<number>): Float64Array {
  const n = x.length;
  const h = new Float64Array(n * n);
  for (let i = 0; i + 1 < n; i++) {
    h[i * n + i]! += 1200 * x[i]! * x[i]! - 400 * x[i + 1]! + 2;
    h[(i + 1) * n + i + 1]! += 200;
    h[i * n + i + 1] = h[(i + 1) * n + i] = -400 * x[i]!;
  }
  return h;
}

function expected(what: string, n: number, dtype: Element) {
  const x = point(n, dtype);
  const h = what === "grad" ? undefined : hessian(x);
  const v = direction(n, dtype);
  const values = what === "grad" ? gradient(x) : what === "hessian" ? h! : Float64Array.from({ length: n }, (_, i) => inner(h!.subarray(i * n, (i + 1) * n), v));
  // A Hessian is sampled where it is zero too: the scale is that of its diagonal.
  return { values: digest(values), scale: 1000, tolerance: dtype === "float32" ? 1e-6 : 1e-14 };
}

function bars(mode: string, what: string, n: number): Bar[] {
  const over = (jaxBar: number | undefined, jaxJsBar: number | undefined): Bar[] => [...(jaxBar === undefined ? [] : [bar(jaxBar, "jax")]), ...(jaxJsBar === undefined ? [] : [bar(jaxJsBar, "jax-js")])];
  if (mode === "jit") {
    if (n === 10) return over(3, 20);
    if (n === 100) return over(1.5, 20);
    return what === "hessian" ? over(0.5, 8) : over(1.5, undefined);
  }
  const peers: readonly SystemName[] = ["jax-js", "tfjs", "jax"];
  if (n !== 10) return [];
  return what === "hessian" ? [bar(5, peers)] : what === "grad" ? [bar(1, peers)] : [];
}

const cases = (["float64", "float32"] as const).flatMap((dtype) =>
  ["jit", "eager"].flatMap((mode) =>
    (mode === "jit" ? [10, 100, 1000] : [10]).flatMap((n) =>
      ["grad", "hvp", "hessian"].map((what): Case => ({
        name: `${dtype} n=${n} ${what} ${mode}`,
        params: { dtype, mode, n, what },
        expected: () => expected(what, n, dtype),
        bars: dtype === "float64" || mode === "eager" ? bars(mode, what, n) : [],
      })),
    ),
  ),
);

export const rosenbrock: Task = { name: "rosenbrock", title: "Rosenbrock: gradient, Hessian-vector product, dense Hessian", cases };
