import { ArgumentError, type ArrayLike, DTypeError, jit, type NDArray, np, ShapeError } from "@hessia/core";
import { hessian, hvp, ravelPytree, valueAndGrad } from "@hessia/autodiff";

/** Derivatives of your own in place of automatic ones; each takes and gives the structure of x0 (hess: over the flattened parameters). */
export interface Derivatives<P> {
  readonly jac?: (x: P) => P;
  readonly hess?: (x: P) => ArrayLike;
  readonly hessp?: (x: P, v: P) => P;
}

export interface Point {
  readonly f: number;
  readonly g: NDArray;
}

/** An objective over flattened parameters, compiled, that counts its evaluations. */
export class Problem<P> {
  readonly start: NDArray;
  readonly unravel: (x: NDArray) => P;
  nfev = 0;
  njev = 0;
  nhev = 0;
  readonly #value: (x: NDArray) => NDArray;
  readonly #valueAndGrad: (x: NDArray) => [NDArray, NDArray];
  readonly #hvp: (x: NDArray, v: NDArray) => NDArray;
  readonly #hessian: (x: NDArray) => NDArray;

  constructor(readonly fn: string, fun: (x: P) => ArrayLike, x0: P, own: Derivatives<P> = {}) {
    if (typeof fun !== "function") throw new ArgumentError({ fn, arg: "fun", expected: "a function of the parameters", got: typeof fun, fix: "pass the objective first, then x0" });
    const [start, unravel] = ravelPytree(x0);
    if (start.dtype !== "float64" && start.dtype !== "float32")
      throw new DTypeError({ fn, arg: "x0", expected: "float parameters", got: start.dtype, fix: 'convert with astype("float64")' });
    this.start = start;
    this.unravel = unravel as (x: NDArray) => P;
    const objective = (x: NDArray): NDArray => {
      const y = np.asarray(fun(this.unravel(x)));
      if (y.ndim !== 0) throw new ShapeError({ fn, arg: "fun", expected: "a scalar objective", got: `shape [${y.shape.join(",")}]`, fix: "reduce it, e.g. with sum; for residuals use leastSquares" });
      return y;
    };
    const flat = (t: P): NDArray => ravelPytree(t)[0];
    const { jac, hess, hessp } = own;
    this.#value = jit(objective, { name: `${fn}: fun` });
    this.#valueAndGrad = jac ? jit((x: NDArray) => [objective(x), flat(jac(this.unravel(x)))] as [NDArray, NDArray]) : jit((x: NDArray) => valueAndGrad(objective)(x) as [NDArray, NDArray], { name: `${fn}: grad` });
    this.#hessian = hess ? jit((x: NDArray) => np.asarray(hess(this.unravel(x)))) : jit((x: NDArray) => hessian(objective)(x) as NDArray, { name: `${fn}: hess` });
    this.#hvp = hessp ? jit((x: NDArray, v: NDArray) => flat(hessp(this.unravel(x), this.unravel(v)))) : hess ? jit((x: NDArray, v: NDArray) => np.matmul(np.asarray(hess(this.unravel(x))), v)) : jit((x: NDArray, v: NDArray) => (hvp(objective, [x], [v]) as unknown as [NDArray, NDArray])[1], { name: `${fn}: hessp` });
  }

  value(x: NDArray): number {
    this.nfev++;
    return Number(this.#value(x).item());
  }
  valueAndGrad(x: NDArray): Point {
    this.nfev++;
    this.njev++;
    const [f, g] = this.#valueAndGrad(x);
    return { f: Number(f.item()), g };
  }
  /** Never holds n^2 numbers. */
  hvp(x: NDArray, v: NDArray): NDArray {
    this.nhev++;
    return this.#hvp(x, v);
  }
  hessian(x: NDArray): NDArray {
    this.nhev++;
    return this.#hessian(x);
  }
}

export const isFinitePoint = (p: Point): boolean => Number.isFinite(p.f) && Boolean(np.all(np.isfinite(p.g)).item());
