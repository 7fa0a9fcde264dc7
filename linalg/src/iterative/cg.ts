import { ArgumentError, type ArrayLike, NDArray, np, ShapeError, tree, whileLoop } from "@hessia/core";
import { bind, evaluateProgram, formatAval, stage, flattenArgs } from "@hessia/core/extend";
import { operatorSolve } from "./operator-solve.js";

/** A symmetric positive definite operator: a matrix, or a linear function of a pytree. */
export type Operator<T> = ArrayLike | ((x: T) => T);

export interface CgOptions<T> {
  readonly x0?: T;
  /** Relative to |b| (default 1e-5). */
  readonly tol?: number;
  readonly atol?: number;
  /** Default 10 n. */
  readonly maxiter?: number;
  /** Preconditioner: an approximation of the inverse of A. */
  readonly M?: Operator<T>;
}

export interface CgInfo {
  readonly iterations: NDArray;
  /** |b - A x| as the recurrence has it. */
  readonly residualNorm: NDArray;
  readonly converged: NDArray;
  /** True when p'A p <= 0 was met: A is not positive definite. */
  readonly breakdown: NDArray;
}

const inner = (a: readonly NDArray[], b: readonly NDArray[]): NDArray => a.map((x, i) => np.sum(np.multiply(x, b[i]!))).reduce((s, v) => np.add(s, v));

/**
 * Solves `A x = b` by the conjugate gradient method (Hestenes & Stiefel 1952) for symmetric positive definite A, on pytrees, in one compiled
 * loop. Stops at `|r| <= max(tol |b|, atol)`. Differentiable in both modes and any order by b and by what A closes over, through the
 * equation itself.
 * @throws ShapeError when A x does not have the structure and shapes of b; ArgumentError when A is neither matrix nor function.
 * @example const { x, info } = cg((v) => np.matmul(H, v), b, { tol: 1e-10 });
 */
export function cg<T>(A: Operator<T>, b: T, options: CgOptions<T> = {}): { x: T; info: CgInfo } {
  const [rhs, def] = flattenArgs(b, "cg: b");
  if (rhs.length === 0) throw new ArgumentError({ fn: "cg", arg: "b", expected: "at least one array", got: "none", fix: "pass the right side" });
  const dtype = rhs.reduce<"float32" | "float64">((d, x) => (x.dtype === "float64" ? "float64" : d), "float32");
  const right = rhs.map((x) => x.astype(dtype));
  const types = right.map((x) => ({ ...x.aval, weak: false }));
  const operator = (op: Operator<T>, arg: string) => asFunction<T>(op, arg);
  const flatten = (fn: (x: T) => T, arg: string) => (...xs: NDArray[]): NDArray[] => {
    const [ys, got] = flattenArgs(fn(tree.unflatten<T>(def, xs)), `cg: ${arg}`);
    if (got.key !== def.key || ys.some((y, i) => y.shape.join() !== types[i]!.shape.join()))
      throw new ShapeError({ fn: "cg", arg, expected: `a function that returns what b is: ${types.map(formatAval).join(", ")}`, got: ys.map((y) => formatAval(y.aval)).join(", "), fix: "make A map the space of b to itself" });
    return ys.map((y) => y.astype(dtype));
  };
  const matvec = stage(flatten(operator(A, "A"), "A"), types, "cg");
  const precondition = options.M === undefined ? undefined : stage(flatten(operator(options.M, "M"), "M"), types, "cg");
  const closed = [...matvec.captured, ...(precondition?.captured ?? [])];
  const size = right.reduce((n, x) => n + x.size, 0);
  const { tol = 1e-5, atol = 0, maxiter = 10 * size } = options;
  const k = right.length;

  const solver = stage((...args) => {
    const own = args.slice(0, matvec.captured.length);
    const theirs = args.slice(matvec.captured.length, closed.length);
    const bs = args.slice(closed.length, closed.length + k);
    const start = args.slice(closed.length + k);
    const apply = (xs: readonly NDArray[]) => evaluateProgram(matvec.program, [...own, ...xs]);
    const pre = (xs: readonly NDArray[]) => (precondition ? evaluateProgram(precondition.program, [...theirs, ...xs]) : [...xs]);
    const limit = np.maximum(np.multiply(tol * tol, inner(bs, bs)), atol * atol);
    const r0 = apply(start).map((ax, i) => np.subtract(bs[i]!, ax));
    const z0 = pre(r0);
    const state = { x: start, r: r0, p: z0, rz: inner(r0, z0), rr: inner(r0, r0), i: np.asarray(0).astype("int32"), broken: np.asarray(false) };
    const end = whileLoop((s: typeof state) => np.logicalAnd(np.logicalAnd(np.greater(s.rr, limit), np.less(s.i, maxiter)), np.logicalNot(s.broken)), (s) => {
      const ap = apply(s.p);
      const curvature = inner(s.p, ap);
      const bad = np.logicalNot(np.greater(curvature, 0));
      const alpha = np.where(bad, 0, np.divide(s.rz, np.where(bad, 1, curvature)));
      const x = s.x.map((v, i) => np.add(v, np.multiply(alpha, s.p[i]!)));
      const r = s.r.map((v, i) => np.subtract(v, np.multiply(alpha, ap[i]!)));
      const z = pre(r);
      const rz = inner(r, z);
      const beta = np.divide(rz, np.where(s.rz.ne(0), s.rz, 1));
      return { x, r, p: s.p.map((v, i) => np.add(z[i]!, np.multiply(beta, v))), rz, rr: inner(r, r), i: np.add(s.i, np.asarray(1).astype("int32")), broken: bad };
    }, state);
    return [...end.x, end.i, np.sqrt(end.rr), np.lessEqual(end.rr, limit), end.broken];
  }, [...closed.map((x) => x.aval), ...types, ...types], "cg");

  const start = options.x0 === undefined ? right.map((x) => np.zeros(x.shape, { dtype })) : flattenArgs(options.x0, "cg: x0")[0].map((x) => x.astype(dtype));
  const outputs = bind(operatorSolve, [...solver.captured, ...closed, ...right, ...start], {
    program: solver.program,
    matvec: solver.captured.length === 0 ? widen(matvec.program, closed.length - matvec.captured.length, matvec.captured.length) : matvec.program,
    constants: solver.captured.length + closed.length,
    parts: k,
    extras: 4,
  });
  const [iterations, residualNorm, converged, breakdown] = outputs.slice(k) as [NDArray, NDArray, NDArray, NDArray];
  return { x: tree.unflatten<T>(def, outputs.slice(0, k)), info: { iterations, residualNorm, converged, breakdown } };

  /** The operator's Program with the preconditioner's constants as inputs that it does not read. */
  function widen(program: typeof matvec.program, extra: number, at: number): typeof matvec.program {
    if (extra === 0) return program;
    return stage((...args) => evaluateProgram(program, [...args.slice(0, at), ...args.slice(at + extra)]), [...closed.map((x) => x.aval), ...types], "cg").program;
  }
}

function asFunction<T>(op: Operator<T>, arg: string): (x: T) => T {
  if (typeof op === "function") return op as (x: T) => T;
  if (op instanceof NDArray || Array.isArray(op)) {
    const matrix = np.asarray(op as ArrayLike);
    if (matrix.ndim !== 2 || matrix.shape[0] !== matrix.shape[1]) throw new ShapeError({ fn: "cg", arg, expected: "a square matrix or a function", got: formatAval(matrix.aval), fix: "pass x => A x for other operators" });
    return ((x: NDArray) => np.matmul(matrix, x)) as unknown as (x: T) => T;
  }
  throw new ArgumentError({ fn: "cg", arg, expected: "a square matrix or a function x => A x", got: typeof op, fix: "wrap the operator in a function" });
}
