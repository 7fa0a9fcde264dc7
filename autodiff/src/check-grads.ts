import { DerivativeError, np, type NDArray, tree, type TreeDef } from "@hessia/core";
import { flattenArgs, flattenResult, hasTangent } from "@hessia/core/extend";
import { hessian } from "./jacobian.js";
import { hvp, type HvpMode } from "./hvp.js";
import { installDerivatives } from "./install.js";
import { runJvp } from "./jvp.js";
import { linearizeFlat } from "./linearize.js";
import { instantiate, Zero } from "./zero.js";

installDerivatives();

export type CheckMode = "fwd" | "rev" | "lin";

export interface CheckGradsOptions {
  /** Highest order of derivative checked (default 2). */
  readonly order?: number;
  /** "fwd": jvp against differences; "rev": vjp against jvp; "lin": linearize against jvp. Default all. */
  readonly modes?: readonly CheckMode[];
  /** Default 1e-7 for float64, 2e-2 for float32; ten times more with each order. */
  readonly atol?: number;
  readonly rtol?: number;
  /** Step of the differences, relative to 1 + |x|: default 1e-4 for float64, 3e-2 for float32. */
  readonly eps?: number;
  /** Chooses the random directions (default 0). */
  readonly seed?: number;
}

/** Mulberry32: enough for directions, and the same on every machine. */
function generator(seed: number): () => number {
  let a = (seed + 0x6d2b79f5) | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const like = (x: NDArray, next: () => number): NDArray => np.array(Array.from({ length: x.size }, () => (next() < 0.5 ? -1 : 1) * (0.3 + 0.7 * next())), { dtype: x.dtype }).reshape(x.shape);
const values = (x: NDArray): number[] => Array.from(x.data, Number);
const dot = (a: readonly NDArray[], b: readonly NDArray[]): number => a.reduce((s, x, i) => s + values(x).reduce((t, v, k) => t + v * Number(b[i]!.data[k]), 0), 0);

interface Flat {
  readonly f: (xs: NDArray[]) => NDArray[];
  readonly outTree: TreeDef;
}

class Checker {
  readonly #next: () => number;
  readonly #modes: readonly CheckMode[];
  constructor(readonly fn: string, readonly options: CheckGradsOptions, readonly paths: readonly string[]) {
    this.#next = generator(options.seed ?? 0);
    this.#modes = options.modes ?? ["fwd", "rev", "lin"];
  }

  direction(xs: readonly NDArray[]): NDArray[] { return xs.map((x) => like(x, this.#next)); }

  #tolerances(single: boolean, level: number): { atol: number; rtol: number; eps: number } {
    const base = (single ? 2e-2 : 1e-7) * 10 ** (level - 1);
    return { atol: this.options.atol ?? base, rtol: this.options.rtol ?? base, eps: this.options.eps ?? (single ? 3e-2 : 1e-4) };
  }

  compare(what: string, path: string, ad: readonly number[], other: readonly number[], against: string, single: boolean, level: number): void {
    const { atol, rtol } = this.#tolerances(single, level);
    ad.forEach((a, i) => {
      const b = other[i]!;
      if (a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= atol + rtol * Math.max(Math.abs(a), Math.abs(b))) return;
      throw new DerivativeError({ fn: this.fn, arg: path, expected: `derivatives of order ${level} that agree: ${what} gave ${a} at element ${i}`, got: `${b} from ${against}`, fix: "check the rule of the function's derivative; at a kink or with a rough function choose another point or eps" });
    });
  }

  /** Fourth-order central differences of f along v. */
  differences(f: Flat["f"], xs: readonly NDArray[], v: readonly NDArray[], single: boolean, level: number): number[][] {
    const size = 1 + Math.max(0, ...xs.flatMap(values).filter(Number.isFinite).map(Math.abs));
    const h = this.#tolerances(single, level).eps * size;
    const at = (k: number) => f(xs.map((x, i) => np.add(x, np.multiply(v[i]!, k * h)))).map(values);
    const [a, b, c, d] = [at(-2), at(-1), at(1), at(2)];
    return a.map((row, i) => row.map((v0, k) => (v0 - 8 * b[i]![k]! + 8 * c[i]![k]! - d[i]![k]!) / (12 * h)));
  }

  run(f: Flat["f"], xs: readonly NDArray[], level: number, order: number, outPath: (i: number) => string): void {
    const single = xs.some((x) => x.dtype === "float32");
    const v = this.direction(xs);
    const pushed = runJvp((ys) => f(ys), xs, v, this.fn);
    const tangents = pushed.tangents.map(instantiate);
    if (this.#modes.includes("fwd")) {
      const fd = this.differences(f, xs, v, single, level);
      tangents.forEach((t, i) => this.compare("jvp", outPath(i), values(t), fd[i]!, "finite differences", single, level));
    }
    const lin = linearizeFlat((ys) => f(ys), xs, this.fn);
    if (this.#modes.includes("lin")) lin.push(v).forEach((t, i) => this.compare("linearize", outPath(i), values(instantiate(t)), values(tangents[i]!), "jvp", single, level));
    const u = this.direction(pushed.primals);
    if (this.#modes.includes("rev")) {
      const pulled = lin.pull(u).map(instantiate);
      // <u, J v> = <J^T u, v>, for each argument by itself so that the error can name it.
      xs.forEach((_, k) => {
        const along = lin.push(v.map((t, i) => (i === k ? t : new Zero(t.aval)))).map(instantiate);
        this.compare("vjp", `argument${this.paths[k]}`, [dot([pulled[k]!], [v[k]!])], [dot(u, along)], "jvp", single, level);
      });
    }
    if (level >= order) return;
    if (this.#modes.includes("fwd") || this.#modes.includes("lin")) this.run((ys) => runJvp((zs) => f(zs), ys, v, this.fn).tangents.map(instantiate), xs, level + 1, order, outPath);
    if (this.#modes.includes("rev")) this.run((ys) => linearizeFlat((zs) => f(zs), ys, this.fn).pull(u).map(instantiate), xs, level + 1, order, (i) => `gradient by argument${this.paths[i]}`);
  }
}

/** Differentiable arguments and results alone, flat. */
function flatFunction(f: (...args: never) => unknown, args: readonly unknown[], fn: string): { flat: Flat; xs: NDArray[]; paths: string[]; def: TreeDef; all: NDArray[]; moves: boolean[] } {
  const [leaves, def] = flattenArgs(args, fn);
  const moves = leaves.map((x) => hasTangent(x.aval));
  let outTree!: TreeDef;
  const call = (xs: NDArray[]): NDArray[] => {
    let next = 0;
    const full = leaves.map((x, i) => (moves[i] ? xs[next++]! : x));
    const [outs, d] = flattenResult((f as (...a: unknown[]) => unknown)(...tree.unflatten<unknown[]>(def, full)), fn);
    outTree = d;
    return outs.filter((y) => hasTangent(y.aval));
  };
  const xs = leaves.filter((_, i) => moves[i]);
  const paths = tree.pathsOf(def).filter((_, i) => moves[i]).map((p) => tree.formatPath(p));
  call(xs);
  return { flat: { f: call, outTree }, xs, paths, def, all: leaves, moves };
}

/**
 * Checks the derivatives of a function at a point, in random directions: forward mode against central differences of fourth order,
 * reverse mode and linearize against forward mode, and so again for derivatives up to `order`. Integer arguments and results are left out.
 * @throws DerivativeError naming the leaf with both values where they differ.
 * @example checkGrads((x: NDArray) => np.sum(np.sin(x)), [np.array([1, 2])], { order: 3 });
 */
export function checkGrads(f: (...args: never) => unknown, args: readonly unknown[], options: CheckGradsOptions = {}): void {
  const { flat, xs, paths } = flatFunction(f, args, "checkGrads");
  const outs = tree.pathsOf(flat.outTree).map((p) => `output${p.length ? tree.formatPath(p) : ""}`);
  new Checker("checkGrads", options, paths).run(flat.f, xs, 1, options.order ?? 2, (i) => outs[i] ?? `output ${i}`);
}

export interface HessianReport {
  /** Largest |H - H^T| relative to the largest element. */
  readonly asymmetry: number;
  /** Largest relative difference of Hessian-vector products between the three mode compositions. */
  readonly modes: number;
  /** Of the Hessian against differences of the gradient. */
  readonly differences: number;
  /** Of Hessian-vector products with unit vectors against the columns. */
  readonly columns: number;
}

/**
 * Checks the Hessian of a scalar function by all floating-point arguments: that it is symmetric, that the three mode compositions of `hvp`
 * agree, that differences of the gradient agree, and that products with unit vectors are its columns.
 * @throws DerivativeError for the first check that fails, with both values.
 * @example checkHessian((x: NDArray) => np.sum(np.exp(x).mul(x)), [np.array([1, 2])]);
 */
export function checkHessian(f: (...args: never) => unknown, args: readonly unknown[], options: Pick<CheckGradsOptions, "atol" | "rtol" | "eps" | "seed"> = {}): HessianReport {
  const { flat, xs, paths } = flatFunction(f, args, "checkHessian");
  const checker = new Checker("checkHessian", options, paths);
  const single = xs.some((x) => x.dtype === "float32");
  const scalar = (...ys: NDArray[]): NDArray => flat.f(ys)[0]!;
  const all = xs.map((_, i) => i);
  const product = (v: readonly NDArray[], mode: HvpMode): NDArray[] => hvp(scalar, xs, v as never, { argnums: all, mode })[1] as unknown as NDArray[];
  const sizes = xs.map((x) => x.size);
  const n = sizes.reduce((a, b) => a + b, 0);
  const blocks = hessian(scalar, { argnums: all })(...xs) as unknown as NDArray[][];
  const offset = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const h = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  blocks.forEach((row, i) => row.forEach((b, j) => values(b).forEach((value, k) => (h[offset[i]! + Math.floor(k / sizes[j]!)]![offset[j]! + (k % sizes[j]!)] = value))));
  const size = Math.max(1e-300, ...h.flat().map(Math.abs));
  const worst = (a: readonly number[], b: readonly number[]): number => Math.max(0, ...a.map((u, i) => Math.abs(u - b[i]!))) / size;
  const where = (i: number): string => {
    const k = offset.findLastIndex((o) => o <= i);
    return `argument${paths[k]}`;
  };
  const columnOf = (j: number): number[] => h.map((row) => row[j]!);
  const exact = { ...options, atol: options.atol ?? (single ? 1e-3 : 1e-8) * size };
  const strict = new Checker("checkHessian", exact, paths);
  let [asymmetry, columns] = [0, 0];
  for (let j = 0; j < n; j++) {
    strict.compare("H", where(j), columnOf(j), h[j]!, "its transpose", single, 2);
    asymmetry = Math.max(asymmetry, worst(columnOf(j), h[j]!));
    const unit = xs.map((x, k) => np.array(Array.from({ length: x.size }, (_, i) => (offset[k]! + i === j ? 1 : 0)), { dtype: x.dtype }).reshape(x.shape));
    const column = product(unit, "fwd-over-rev").flatMap(values);
    strict.compare("hvp with a unit vector", where(j), column, columnOf(j), "the column of hessian", single, 2);
    columns = Math.max(columns, worst(column, columnOf(j)));
  }
  const v = checker.direction(xs);
  const reference = product(v, "fwd-over-rev").flatMap(values);
  let modes = 0;
  for (const mode of ["rev-over-rev", "rev-over-fwd"] as const) {
    const other = product(v, mode).flatMap(values);
    strict.compare(`hvp in mode "${mode}"`, "v", other, reference, 'mode "fwd-over-rev"', single, 2);
    modes = Math.max(modes, worst(other, reference));
  }
  const gradient = (ys: NDArray[]): NDArray[] => linearizeFlat((zs) => scalar(...zs), ys, "checkHessian").pull([np.array(1, { dtype: xs[0]!.dtype })]).map(instantiate);
  const fd = checker.differences(gradient, xs, v, single, 2).flat();
  checker.compare("hvp", "v", reference, fd, "finite differences of the gradient", single, 2);
  return { asymmetry, modes, columns, differences: worst(reference, fd) };
}
