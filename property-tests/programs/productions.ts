import { type AnyPrimitive, type Aval, isFloat, primitiveFamilies as p, shape } from "@hessia/core/extend";
import { type Scope, type Value } from "./scope.js";

const { range, sizeOf } = shape;
type DType = Aval["dtype"];

/** Choices of one step: natural numbers that fast-check draws and shrinks. */
export class Choices {
  #at = 0;
  constructor(readonly numbers: readonly number[]) {}
  next(n: number): number {
    return n <= 0 ? 0 : (this.numbers[this.#at++ % this.numbers.length]! + this.#at) % n;
  }
  flag(): boolean { return this.next(2) === 1; }
  of<T>(list: readonly T[]): T { return list[this.next(list.length)]!; }
}

/** Applies a primitive to values at hand; undefined where nothing fits. */
export type Production = (s: Scope, c: Choices) => readonly Value[] | undefined;

const one = (v: Value | undefined): readonly Value[] | undefined => (v ? [v] : undefined);
/** Later values are likelier, so that programs grow deep. */
export function pick(s: Scope, c: Choices, accept: (v: Value) => boolean = () => true): Value | undefined {
  const fitting = s.values.filter(accept);
  if (fitting.length === 0) return undefined;
  return c.flag() ? fitting[fitting.length - 1 - c.next(Math.min(3, fitting.length))] : c.of(fitting);
}
const typed = (dtype: DType, dims?: readonly number[]) => (v: Value) => v.aval.dtype === dtype && (!dims || dims.join() === v.aval.shape.join());
const real = (v: Value): boolean => isFloat(v.aval.dtype);
const nonScalar = (v: Value): boolean => v.aval.shape.length > 0;

export const as = (s: Scope, v: Value | undefined, dtype: DType): Value | undefined => (!v || v.aval.dtype === dtype ? v : s.apply1(p.types.convert, [v], { dtype, weak: false }));
const reshaped = (s: Scope, v: Value | undefined, to: readonly number[]): Value | undefined => (!v || v.aval.shape.join() === to.join() ? v : s.apply1(p.structural.reshape, [v], { shape: to }));
/** A value of a given type: one at hand, or another one cut or repeated to the shape. */
export function ofType(s: Scope, c: Choices, type: Aval): Value | undefined {
  const exact = pick(s, c, typed(type.dtype, type.shape));
  if (exact && c.next(4) > 0) return exact;
  const other = as(s, pick(s, c, (v) => nonScalar(v) && (isFloat(type.dtype) || !isFloat(v.aval.dtype))), type.dtype);
  if (!other) return exact;
  const [have, want] = [sizeOf(other.aval.shape), sizeOf(type.shape)];
  const flat = reshaped(s, other, [have]);
  const long = flat && have < want ? s.apply1(p.indexing.gather, [flat, modulo(s, want, have)], { batchDims: 0, mode: "clip" }) : flat && have > want ? s.apply1(p.structural.slice, [flat], { start: [0], limit: [want], strides: [1] }) : flat;
  return reshaped(s, long, type.shape) ?? exact;
}
function modulo(s: Scope, n: number, by: number): Value | undefined {
  const count = s.apply1(p.structural.iota, [], { shape: [n], dtype: "int32", axis: 0 });
  return count && s.apply1(p.binary.rem, [count, s.filled(by, count.aval)]);
}

/** Maps a value smoothly into an interval, unless it lies there. */
function fit(s: Scope, v: Value, [low, high]: readonly [number, number]): Value | undefined {
  const data = v.value.data;
  if (data.every((x) => x >= low && x <= high)) return v;
  const { mul, add } = p.binary;
  const wave = s.apply1(p.unary.sin, [v]);
  const scaled = wave && s.apply1(mul, [wave, s.filled(0.45 * (high - low), v.aval)]);
  return scaled && s.apply1(add, [scaled, s.filled((low + high) / 2, v.aval)]);
}

const domainOf: Readonly<Record<string, readonly (readonly [number, number])[]>> = { exp: [[-3, 2]], exp2: [[-3, 2]], expm1: [[-3, 2]], cosh: [[-2, 2]], sinh: [[-2, 2]] };

function elementwise(primitive: AnyPrimitive): Production {
  const { domain } = primitive.facts;
  return (s, c) => {
    for (const arity of domain ? [domain.length] : [1, 2]) {
      const first = pick(s, c, (v) => accepts(primitive, v.aval, arity));
      if (!first) continue;
      const operands: (Value | undefined)[] = [first];
      while (operands.length < arity) operands.push(ofType(s, c, first.aval));
      const bounds = domainOf[primitive.name] ?? domain;
      const fitted = operands.map((v, i) => (v && real(v) && bounds ? fit(s, v, bounds[i]!) : v));
      return one(s.apply1(primitive, fitted));
    }
    return undefined;
  };
}
function accepts(primitive: AnyPrimitive, type: Aval, arity: number, params: object = {}): boolean {
  try {
    primitive.abstractEval(range(arity).map(() => type), params);
    return true;
  } catch {
    return false;
  }
}

const axesOf = (c: Choices, ndim: number): number[] => range(ndim).filter(() => c.flag());
const reduction = (primitive: AnyPrimitive): Production => (s, c) => {
  const x = pick(s, c, (v) => nonScalar(v) && accepts(primitive, { ...v.aval, shape: [] }, 1, { axes: [] }));
  if (!x) return undefined;
  const axes = axesOf(c, x.aval.shape.length);
  return one(s.apply1(primitive, [x], { axes: axes.length ? axes : [c.next(x.aval.shape.length)] }));
};
const cumulative = (primitive: AnyPrimitive): Production => (s, c) => {
  const x = pick(s, c, (v) => nonScalar(v) && v.aval.dtype !== "bool");
  return x && one(s.apply1(primitive, [x], { axis: c.next(x.aval.shape.length), reverse: c.flag() }));
};

function shuffled(c: Choices, n: number): number[] {
  const rest = range(n);
  return range(n).map(() => rest.splice(c.next(rest.length), 1)[0]!);
}

/** Positions one after the other, some before the first or beyond the last: gathers of neighbours. */
function neighbours(s: Scope, c: Choices, count: number): Value | undefined {
  const n = Math.max(1, count + c.next(5) - 2);
  const at = s.apply1(p.structural.iota, [], { shape: [n], dtype: "int32", axis: 0 });
  const moved = at && s.apply1(c.of([p.binary.add, p.binary.sub]), [at, s.filled(c.next(4), at.aval)]);
  return moved && c.flag() ? s.apply1(p.structural.reverse, [moved], { axes: [0] }) : moved;
}

const indices = (s: Scope, c: Choices, count: number): Value | undefined => {
  if (c.next(4) === 0) return neighbours(s, c, count);
  const source = as(s, pick(s, c, (v) => v.aval.shape.length <= 2 && v.aval.dtype !== "bool" && sizeOf(v.aval.shape) <= 12), "int32");
  if (c.next(3) === 0) return source;
  return source && s.apply1(p.binary.rem, [s.apply1(p.unary.abs, [source]), s.filled(count, source.aval)]);
};
const scalarIndex = (s: Scope, c: Choices): Value => pick(s, c, typed("int32", [])) ?? s.literal(c.next(4), "int32");

const structural: Readonly<Record<string, Production>> = {
  transpose: (s, c) => {
    const x = pick(s, c, nonScalar);
    return x && one(s.apply1(p.structural.transpose, [x], { permutation: shuffled(c, x.aval.shape.length) }));
  },
  broadcast: (s, c) => {
    const x = pick(s, c, (v) => sizeOf(v.aval.shape) <= s.bounds.maxSize / 3);
    if (!x) return undefined;
    const to = [...x.aval.shape];
    const at = c.next(to.length + 1);
    to.splice(at, 0, 1 + c.next(3));
    return one(s.apply1(p.structural.broadcast, [x], { shape: to.map((n, d) => (d !== at && n === 1 && c.flag() ? 2 : n)), dims: x.aval.shape.map((_, d) => (d < at ? d : d + 1)) }));
  },
  reshape: (s, c) => {
    const x = pick(s, c);
    if (!x) return undefined;
    const n = sizeOf(x.aval.shape);
    const divisor = c.of(range(Math.max(1, n), 1).filter((k) => n % k === 0));
    return one(s.apply1(p.structural.reshape, [x], { shape: c.of([[n], [divisor, n / divisor], [1, ...x.aval.shape], [...x.aval.shape, 1]]) }));
  },
  slice: (s, c) => {
    const x = pick(s, c, nonScalar);
    if (!x) return undefined;
    const start = x.aval.shape.map((n) => c.next(n));
    return one(s.apply1(p.structural.slice, [x], { start, limit: x.aval.shape.map((n, d) => Math.min(n, start[d]! + c.next(n - start[d]! + 1) + (c.next(8) > 0 ? 1 : 0))), strides: x.aval.shape.map(() => 1 + c.next(2)) }));
  },
  pad: (s, c) => {
    const x = pick(s, c, nonScalar);
    const value = x && (pick(s, c, typed(x.aval.dtype, [])) ?? s.literal(c.next(2), x.aval.dtype));
    const amount = (from: number, n: number) => x!.aval.shape.map(() => from + c.next(n));
    return x && one(s.apply1(p.structural.pad, [x, value], { low: amount(-1, 3), high: amount(-1, 3), interior: amount(0, 2) }));
  },
  reverse: (s, c) => {
    const x = pick(s, c, nonScalar);
    return x && one(s.apply1(p.structural.reverse, [x], { axes: axesOf(c, x.aval.shape.length) }));
  },
  concatenate: (s, c) => {
    const x = pick(s, c, nonScalar);
    if (!x) return undefined;
    const axis = c.next(x.aval.shape.length);
    const fits = (v: Value) => v.aval.dtype === x.aval.dtype && v.aval.shape.length === x.aval.shape.length && v.aval.shape.every((n, d) => d === axis || n === x.aval.shape[d]);
    return one(s.apply1(p.structural.concatenate, [x, ...range(1 + c.next(2)).map(() => pick(s, c, fits))], { axis }));
  },
  iota: (s, c) => {
    const like = pick(s, c, nonScalar);
    return like && one(s.apply1(p.structural.iota, [], { shape: like.aval.shape, dtype: c.of(["int32", like.aval.dtype === "bool" ? "int32" : like.aval.dtype] as const), axis: c.next(like.aval.shape.length) }));
  },
  windows: (s, c) => one(slide(s, c)?.y),
  overlapAdd: (s, c) => {
    const made = slide(s, c);
    return made && one(s.apply1(p.structural.overlapAdd, [ofType(s, c, made.y.aval)], made.params));
  },
};
function slide(s: Scope, c: Choices): { y: Value; params: { shape: readonly number[] } } | undefined {
  const x = pick(s, c, (v) => nonScalar(v) && v.aval.dtype !== "bool" && v.aval.shape.length <= 2);
  if (!x) return undefined;
  const each = (n: number) => x.aval.shape.map(() => 1 + c.next(n));
  const params = { window: each(3), strides: each(2), dilation: each(2) };
  const y = s.apply1(p.structural.windows, [x], params);
  return y && sizeOf(y.aval.shape) > 0 ? { y, params: { ...params, shape: x.aval.shape } } : undefined;
}

/** A convolution over two axes, in groups. */
function planar(s: Scope, c: Choices, x: Value, k: Value): readonly Value[] | undefined {
  const [n, m] = [sizeOf(x.aval.shape), sizeOf(k.aval.shape)];
  const [batch, channels, width] = [1 + c.next(2), 1 + c.next(3), 1 + c.next(Math.max(1, Math.floor(Math.sqrt(n / 4))))];
  const height = Math.floor(n / (batch * channels * width));
  const groups = channels % 2 === 0 && c.flag() ? 2 : 1;
  const window = [1 + c.next(3), 1 + c.next(3)] as const;
  const outs = groups * Math.min(8, Math.floor(m / (groups * (channels / groups) * window[0] * window[1])));
  if (height < 1 || outs < 1) return undefined;
  const cut = (v: Value, to: readonly number[]) => reshaped(s, s.apply1(p.structural.slice, [reshaped(s, v, [sizeOf(v.aval.shape)])], { start: [0], limit: [sizeOf(to)], strides: [1] }), to);
  const pair = (from: number, count: number) => [from + c.next(count), from + c.next(count)];
  return one(s.apply1(p.convolution.conv, [cut(x, [batch, channels, height, width]), cut(k, [outs, channels / groups, ...window])], { strides: pair(1, 2), low: pair(-1, 3), high: pair(-1, 3), inputDilation: pair(1, 2), kernelDilation: pair(1, 2), groups, batchGroups: 1 }));
}

const others: Readonly<Record<string, Production>> = {
  convert: (s, c) => {
    const x = pick(s, c);
    const dtypes = (["float64", "int32", "uint32", "bool", "float32"] as const).filter((d) => d !== "float32" || s.values.some(typed("float32")));
    return x && one(s.apply1(p.types.convert, [x], { dtype: c.of(dtypes), weak: false }));
  },
  bitcast: (s, c) => {
    const x = pick(s, c, (v) => v.aval.dtype === "int32" || v.aval.dtype === "uint32");
    return x && one(s.apply1(p.types.bitcast, [x], { dtype: x.aval.dtype === "int32" ? "uint32" : "int32" }));
  },
  select: (s, c) => {
    const a = pick(s, c);
    const b = a && ofType(s, c, a.aval);
    if (!a || !b) return undefined;
    const condition = a.aval.dtype === "bool" && c.flag() ? a : ofType(s, c, { ...a.aval, dtype: "bool" }) ?? s.apply1(c.of([p.binary.lt, p.binary.ge, p.binary.ne]), [a, b]);
    return one(s.apply1(p.types.select, [condition, a, b]));
  },
  stopGradient: (s, c) => one(s.apply1(p.types.stopGradient, [pick(s, c)])),
  dot: (s, c) => {
    const a = pick(s, c, (v) => v.aval.dtype !== "bool");
    const b = a && pick(s, c, (v) => v.aval.dtype === a.aval.dtype);
    if (!a || !b) return undefined;
    const pairs = a.aval.shape.flatMap((n, i) => b.aval.shape.flatMap((m, j) => (n === m ? [[i, j] as const] : [])));
    const chosen: (readonly [number, number])[] = [];
    for (const pair of pairs) if (c.flag() && !chosen.some(([i, j]) => i === pair[0] || j === pair[1])) chosen.push(pair);
    const cut = c.next(chosen.length + 1);
    const side = (list: typeof chosen) => [list.map(([i]) => i), list.map(([, j]) => j)] as const;
    return one(s.apply1(p.dot.dot, [a, b], { contract: side(chosen.slice(cut)), batch: side(chosen.slice(0, cut)) }));
  },
  conv: (s, c) => {
    const x = pick(s, c, (v) => real(v) && sizeOf(v.aval.shape) >= 4);
    const k = x && pick(s, c, (v) => v.aval.dtype === x.aval.dtype && sizeOf(v.aval.shape) >= 2);
    if (!x || !k) return undefined;
    const [n, m] = [sizeOf(x.aval.shape), sizeOf(k.aval.shape)];
    const channels = n % 2 === 0 && m % 2 === 0 && c.flag() ? 2 : 1;
    const outs = (m / channels) % 2 === 0 && c.flag() ? 2 : 1;
    const width = Math.min(3, m / channels / outs);
    const kernel = s.apply1(p.structural.slice, [reshaped(s, k, [m])], { start: [0], limit: [outs * channels * width], strides: [1] });
    const step = () => [1 + c.next(2)];
    if (c.flag()) return planar(s, c, x, k);
    return one(s.apply1(p.convolution.conv, [reshaped(s, x, [1, channels, n / channels]), reshaped(s, kernel, [outs, channels, width])], { strides: step(), low: [c.next(3) - 1], high: [c.next(2)], inputDilation: step(), kernelDilation: step(), groups: 1, batchGroups: 1 }));
  },
  gather: (s, c) => {
    const x = pick(s, c, nonScalar);
    const at = x && indices(s, c, x.aval.shape[0]!);
    return x && one(s.apply1(p.indexing.gather, [x, at], { batchDims: 0, mode: c.of(["clip", "fill"] as const) })) ;
  },
  scatter: (s, c) => {
    const x = pick(s, c, nonScalar);
    const at = x && indices(s, c, x.aval.shape[0]!);
    const u = x && at && ofType(s, c, { ...x.aval, shape: [...at.aval.shape, ...x.aval.shape.slice(1)] });
    return one(x && s.apply1(p.indexing.scatter, [x, at, u], { batchDims: 0, mode: c.of(["clip", "fill"] as const), op: c.of(["set", "add", "mul", "min", "max"] as const), uniqueIndices: false }));
  },
  dynamicSlice: (s, c) => {
    const x = pick(s, c, nonScalar);
    return x && one(s.apply1(p.indexing.dynamicSlice, [x, ...x.aval.shape.map(() => scalarIndex(s, c))], { sizes: x.aval.shape.map((n) => 1 + c.next(n)) }));
  },
  dynamicUpdateSlice: (s, c) => {
    const x = pick(s, c, nonScalar);
    const u = x && ofType(s, c, { ...x.aval, shape: x.aval.shape.map((n) => 1 + c.next(n)) });
    return x && one(s.apply1(p.indexing.dynamicUpdateSlice, [x, u, ...x.aval.shape.map(() => scalarIndex(s, c))]));
  },
  sort: (s, c) => {
    const x = pick(s, c, nonScalar);
    const rest = x ? range(c.next(2)).flatMap(() => pick(s, c, (v) => v.aval.shape.join() === x.aval.shape.join()) ?? []) : [];
    return x && s.apply(p.sort.sort, [x, ...rest], { axis: c.next(x.aval.shape.length), keys: 1 + c.next(1 + rest.length) });
  },
  polygamma: (s, c) => {
    const x = pick(s, c, real);
    return x && one(s.apply1(p.binary.polygamma, [s.filled(c.next(3), x.aval), fit(s, x, [0.3, 6])]));
  },
  threefry2x32: (s, c) => {
    const x = as(s, pick(s, c, (v) => !real(v)), "uint32");
    return x && s.apply(p.random.threefry2x32, [x, x, ofType(s, c, x.aval) ?? x, x]);
  },
};

/** One production a primitive: elementwise ones from their facts, the others as written above. Control flow is in control-flow.ts. */
export const productions: ReadonlyMap<string, Production> = new Map([
  ...[...Object.values(p.unary), ...Object.values(p.binary)].map((q): [string, Production] => [q.name, elementwise(q)]),
  ...Object.values(p.reductions).map((q): [string, Production] => [q.name, reduction(q)]),
  ...Object.values(p.cumulative).map((q): [string, Production] => [q.name, cumulative(q)]),
  ...Object.entries(structural),
  ...Object.entries(others),
]);
