import { ArgumentError, type ArrayLike, type NDArray, np, ShapeError } from "@hessia/core";
import { ggnvp, grad, hessian, hessianDiag, hvp, linearizeWithAux, ravelPytree, valueAndGrad } from "@hessia/autodiff";
import type { Extras } from "./extras.js";
import { dotTrees } from "./tree-math.js";

export interface OracleOptions {
  /** The loss returns `[value, aux]`; `aux` becomes an extra argument. */
  readonly hasAux?: boolean;
}
/** A loss in two parts, so that generalized Gauss-Newton products exist: `loss(model(params, ...batch), ...batch)`. */
export interface ComposedLoss<P, B extends readonly unknown[], Z = unknown> {
  readonly model: (params: P, ...batch: B) => Z;
  readonly loss: (outputs: Z, ...batch: B) => ArrayLike;
}
/** A loss that is half the sum of squares of these residuals. */
export interface LeastSquaresLoss<P, B extends readonly unknown[]> {
  readonly residuals: (params: P, ...batch: B) => unknown;
}
export type Loss<P, B extends readonly unknown[]> = ((params: P, ...batch: B) => ArrayLike | readonly [ArrayLike, unknown]) | ComposedLoss<P, B> | LeastSquaresLoss<P, B>;

const half = (residuals: unknown): NDArray => np.multiply(0.5, dotTrees(residuals, residuals));

interface Parts<P> { readonly model?: (p: P) => unknown; readonly outputLoss?: (z: unknown) => NDArray; readonly residuals?: (p: P) => unknown }

/**
 * Everything an optimizer may ask about a loss at the current parameters. Each member is computed when first read and then kept; value,
 * gradient and Hessian products share one linearization of the gradient once `hvpFn` has been read.
 */
function lazyExtras<P>(loss: (p: P) => readonly [NDArray, unknown], params: P, parts: Parts<P>, hasAux: boolean): Extras {
  type Point = { readonly value: NDArray; readonly grad: unknown; readonly aux: unknown };
  const valueOnly = (p: P): NDArray => loss(p)[0];
  let point: Point | undefined;
  let push: ((v: never) => unknown) | undefined;
  let diagonal: unknown;
  let dense: NDArray | undefined;
  const first = (): Point => {
    if (!point) {
      const [[value, aux], g] = valueAndGrad(loss, { hasAux: true })(params) as unknown as [[NDArray, unknown], unknown];
      point = { value, grad: g, aux };
    }
    return point;
  };
  return {
    get value() { return first().value; },
    get grad() { return first().grad; },
    get aux() { return hasAux ? first().aux : undefined; },
    get hvpFn() {
      if (!push) {
        const [g, tangent, at] = linearizeWithAux((p: P) => {
          const [[value, aux], gradient] = valueAndGrad(loss, { hasAux: true })(p) as unknown as [[NDArray, unknown], unknown];
          return [gradient, { value, aux: aux ?? null }] as const;
        }, params);
        point ??= { value: at.value, grad: g, aux: at.aux };
        push = tangent as unknown as (v: never) => unknown;
      }
      return push;
    },
    get ggnvpFn(): ((v: never) => unknown) | undefined {
      const { model, outputLoss, residuals } = parts;
      if (residuals) return (v) => ggnvp(residuals, half, params, v);
      return model && outputLoss ? (v) => ggnvp(model, outputLoss, params, v) : undefined;
    },
    // Shares nothing with other members, so that it may run in a branch that is not always taken.
    hvpAtFn: (p: P, v: never) => (hvp(valueOnly, [p], [v]) as unknown as [unknown, unknown])[1],
    valueFn: valueOnly as (p: never) => NDArray,
    gradFn: (p) => grad(valueOnly)(p),
    valueAndGradFn: (p) => valueAndGrad(valueOnly)(p) as unknown as [NDArray, unknown],
    hessianDiagFn: () => (diagonal ??= hessianDiag(valueOnly)(params)),
    hessianFn: () => {
      if (!dense) {
        const [flat, unravel] = ravelPytree(params);
        dense = hessian((x: NDArray) => valueOnly(unravel(x)))(flat) as NDArray;
      }
      return dense;
    },
    residualFn: parts.residuals as ((p: never) => unknown) | undefined,
  };
}

/**
 * Extra arguments with some of them replaced or added. (Spreading an oracle would compute all of it.)
 * @example opt.update(g, state, params, withExtras(oracle(loss)(params), { key }))
 */
export const withExtras = (extra: Extras, more: Extras): Extras => Object.create(extra, Object.getOwnPropertyDescriptors(more)) as Extras;

/**
 * Makes the extra arguments that second-order optimizers read, from a loss. Lazy: first-order optimizers pay for nothing they do not read.
 * @param loss `(params, ...batch) => scalar` (or `[scalar, aux]` with `hasAux`); `{model, loss}` gives Gauss-Newton products too;
 *   `{residuals}` is half a sum of squares, as `levenbergMarquardt` and `gaussNewton` need.
 *
 * Read members outside of loop bodies (`scan`, `whileLoop`): a value first computed inside would outlive its trace.
 * @throws ShapeError when the loss is not a scalar.
 * @example
 * const at = oracle((w, x, y) => np.mean(np.square(np.subtract(np.matmul(x, w), y))));
 * const extra = at(w, x, y);
 * const [updates, state] = newton().update(extra.grad, state0, w, extra);
 */
export function oracle<P, B extends readonly unknown[]>(loss: Loss<P, B>, options: OracleOptions = {}): (params: P, ...batch: B) => Extras & { readonly value: NDArray; readonly grad: P; readonly aux: unknown } {
  const hasAux = options.hasAux ?? false;
  if (typeof loss !== "function" && !("residuals" in loss) && !("model" in loss))
    throw new ArgumentError({ fn: "oracle", arg: "loss", expected: "a function, {model, loss} or {residuals}", got: typeof loss, fix: "pass the loss as a function of (params, ...batch)" });
  return (params, ...batch) => {
    const scalar = (y: ArrayLike): NDArray => {
      const value = np.asarray(y);
      if (value.ndim !== 0) throw new ShapeError({ fn: "oracle", arg: "loss", expected: "a scalar", got: `shape [${value.shape.join(",")}]`, fix: "reduce it, for example with np.mean; for residuals pass { residuals }" });
      return value;
    };
    const parts = typeof loss === "function" ? {} : "residuals" in loss ? { residuals: (p: P) => loss.residuals(p, ...batch) } : { model: (p: P) => loss.model(p, ...batch), outputLoss: (z: unknown) => scalar(loss.loss(z as never, ...batch)) };
    const evaluate = (p: P): readonly [NDArray, unknown] => {
      if (typeof loss !== "function") return ["residuals" in loss ? half(loss.residuals(p, ...batch)) : scalar(loss.loss(loss.model(p, ...batch) as never, ...batch)), null];
      const out = loss(p, ...batch);
      if (!hasAux) return [scalar(out as ArrayLike), null];
      const [value, aux] = out as readonly [ArrayLike, unknown];
      return [scalar(value), aux];
    };
    return lazyExtras(evaluate, params, parts, hasAux) as unknown as Extras & { readonly value: NDArray; readonly grad: P; readonly aux: unknown };
  };
}
