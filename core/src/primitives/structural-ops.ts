import type { NDArray } from "../array/ndarray.js";
import { formatShape, range, type Shape, shapesEqual, sizeOf } from "../base/shape.js";
import { ShapeError } from "../base/errors.js";
import { formatAval } from "../ir/aval.js";
import { fromBuffer, reshapeLazy, transposeLazy } from "../lower/lazy.js";
import type { Primitive } from "../ir/primitive.js";
import { definePrimitive } from "../trace/define.js";
import { bind1 } from "../trace/trace.js";

const insert = (shape: Shape, at: number, n: number): number[] => [...shape.slice(0, at), n, ...shape.slice(at)];

/** Result axis i is input axis `permutation[i]`. */
export const transpose: Primitive<{ permutation: readonly number[] }> = definePrimitive({
  name: "transpose",
  linear: true,
  view: true,
  simplify(known, [x], { permutation }) {
    const inner = known.definition(x!);
    const composed = inner?.primitive === transpose ? permutation.map((p) => (inner.params as { permutation: readonly number[] }).permutation[p]!) : permutation;
    const from = composed === permutation ? x! : inner!.inputs[0]!;
    if (composed.every((p, i) => p === i)) return from;
    return from === x ? undefined : known.emit(transpose, [from], { permutation: composed });
  },
  abstractEval([x], { permutation }) {
    if (permutation.length !== x!.shape.length || range(permutation.length).some((d) => !permutation.includes(d)))
      throw new ShapeError({ fn: "transpose", arg: "axes", expected: `a permutation of the ${x!.shape.length} axes`, got: formatShape(permutation), fix: "name every axis once" });
    return { ...x!, shape: permutation.map((p) => x!.shape[p]!) };
  },
  batch(_n, [x], [d], { permutation }) {
    return { outputs: [bind1(transpose, [x!], { permutation: [d!, ...permutation.map((p) => (p >= d! ? p + 1 : p))] })], dims: [0] };
  },
  lower: (_ctx, [x], { permutation }) => [transposeLazy(x!, permutation)],
});

/** Input axis d becomes axis `dims[d]` of `shape`; axes of size 1 and axes not named repeat. */
export const broadcast: Primitive<{ shape: Shape; dims: readonly number[] }> = definePrimitive({
  name: "broadcast",
  linear: true,
  view: true,
  simplify(known, [x], { shape, dims }) {
    const inner = known.definition(x!);
    if (inner?.primitive === broadcast) return known.emit(broadcast, [inner.inputs[0]!], { shape, dims: (inner.params as { dims: readonly number[] }).dims.map((d) => dims[d]!) });
    return shapesEqual(x!.aval.shape, shape) ? x : undefined;
  },
  abstractEval([x], { shape, dims }) {
    const ok = dims.length === x!.shape.length && dims.every((d, i) => d >= 0 && d < shape.length && (i === 0 || d > dims[i - 1]!) && (x!.shape[i] === shape[d] || x!.shape[i] === 1));
    if (!ok)
      throw new ShapeError({ fn: "broadcastTo", arg: "shape", expected: `a shape that ${formatAval(x!)} broadcasts to`, got: formatShape(shape), fix: "sizes must be equal or 1" });
    return { ...x!, shape };
  },
  batch(n, [x], [d], { shape, dims }) {
    const front = bind1(transpose, [x!], { permutation: [d!, ...range(x!.ndim).filter((k) => k !== d)] });
    return { outputs: [bind1(broadcast, [front], { shape: [n, ...shape], dims: [0, ...dims.map((k) => k + 1)] })], dims: [0] };
  },
  lower: (ctx, [x], { shape, dims }) => [ctx.expand(x!, shape, dims)],
});

export const reshape: Primitive<{ shape: Shape }> = definePrimitive({
  name: "reshape",
  linear: true,
  view: true,
  simplify(known, [x], { shape }) {
    if (shapesEqual(x!.aval.shape, shape)) return x;
    const inner = known.definition(x!);
    if (inner?.primitive !== reshape) return undefined;
    return shapesEqual(inner.inputs[0]!.aval.shape, shape) ? inner.inputs[0] : known.emit(reshape, [inner.inputs[0]!], { shape });
  },
  abstractEval([x], { shape }) {
    if (sizeOf(shape) !== sizeOf(x!.shape))
      throw new ShapeError({ fn: "reshape", arg: "shape", expected: `${sizeOf(x!.shape)} elements, as in ${formatShape(x!.shape)}`, got: formatShape(shape), fix: "choose sizes with the same product, or -1 for one of them" });
    return { ...x!, shape };
  },
  batch(n, [x], [d], { shape }) {
    const front = transposeTo(x!, [d!, ...range(x!.ndim).filter((k) => k !== d)]);
    return { outputs: [bind1(reshape, [front], { shape: insert(shape, 0, n) })], dims: [0] };
  },
  lower: (ctx, [x], { shape }) => [reshapeLazy(x!, shape) ?? fromBuffer(ctx.buffer(x!), shape, x!.dtype)],
});

export const transposeTo = (x: NDArray, permutation: readonly number[]): NDArray => (permutation.every((p, i) => p === i) ? x : bind1(transpose, [x], { permutation }));
export const broadcastTo = (x: NDArray, shape: Shape, dims: readonly number[]): NDArray =>
  x.ndim === shape.length && x.shape.every((n, d) => n === shape[d]) ? x : bind1(broadcast, [x], { shape, dims });
export const reshapeTo = (x: NDArray, shape: Shape): NDArray => (x.ndim === shape.length && x.shape.every((n, d) => n === shape[d]) ? x : bind1(reshape, [x], { shape }));
