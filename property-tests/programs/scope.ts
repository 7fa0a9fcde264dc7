import { HessiaError, type NDArray } from "@hessia/core";
import { type AnyPrimitive, type Atom, type Aval, bind, ConcreteArray, getBackend, isFloat, Literal, type Params, primitiveFamilies, type Program, ProgramBuilder, shape, type Var } from "@hessia/core/extend";

const { sizeOf } = shape;
const reference = getBackend("reference");

/** A variable of the growing program, its value for the drawn inputs, and a twin that carries noise from every operation. */
export interface Value {
  readonly atom: Atom;
  readonly aval: Aval;
  readonly value: NDArray;
  readonly twin: NDArray;
}

/** What a program's values may be. */
export interface Bounds {
  /** Of every operation in the twin, relative. */
  readonly noise: number;
  readonly maxSize: number;
  /** Only operations whose results leave no choice: then all values are allowed, and implementations agree in every bit. */
  readonly exact?: boolean;
}

const maxMagnitude = 50;
/** Largest relative deviation of the twin: programs beyond it amplify rounding errors (or jump), and comparing them means nothing. */
const maxDeviation = 1e3;

export const arrayOf = (data: ArrayLike<number>, aval: Aval): ConcreteArray => {
  const kinds = { bool: Uint8Array, int32: Int32Array, uint32: Uint32Array, float32: Float32Array, float64: Float64Array };
  return ConcreteArray.fromHost(kinds[aval.dtype].from(data), { ...aval, weak: false }, reference);
};

function largest(x: ArrayLike<number>): number {
  let m = 0;
  for (let i = 0; i < x.length; i++) {
    const a = Math.abs(x[i]!);
    if (!(a <= m)) m = a;
  }
  return m;
}

/** Deviation of the twin relative to the largest element; infinite where integers differ or values are out of range. */
export function deviation(value: NDArray, twin: NDArray): number {
  const [a, b] = [value.data, twin.data];
  if (!isFloat(value.dtype)) return a.every((v, i) => v === b[i]) ? 0 : Infinity;
  const scale = largest(a);
  if (!(scale <= maxMagnitude)) return Infinity;
  let d = 0;
  for (let i = 0; i < a.length; i++) {
    const e = Math.abs(a[i]! - b[i]!);
    if (!(e <= d)) d = e;
  }
  return Number.isNaN(d) ? Infinity : d / Math.max(scale, 1e-3);
}

const moves = new Set(["call", "cond", "scan", "while", "sort", "gather", "dynamicSlice", "dynamicUpdateSlice", "select", "convert", "bitcast", "stopGradient", "threefry2x32", "iota", "transpose", "broadcast", "reshape", "slice", "pad", "reverse", "concatenate", "windows", "reduceMax", "reduceMin", "firstMax", "firstMin", "reduceAnd", "reduceOr", "reduceXor", "argmax", "argmin", "cummax", "cummin"]);
const exactFloats = new Set(["neg", "abs", "sign", "floor", "ceil", "round", "trunc", "sqrt", "isFinite", "add", "sub", "mul", "div", "rem", "max", "min", "nextafter", "eq", "ne", "lt", "le", "gt", "ge"]);

/** Whether IEEE 754 and integer arithmetic define every bit of the result (but a NaN's). */
function isExact(primitive: AnyPrimitive, types: readonly Aval[], params: Params): boolean {
  if (moves.has(primitive.name) || types.every((t) => !isFloat(t.dtype)) || exactFloats.has(primitive.name)) return true;
  return primitive.name === "scatter" && !["add", "mul"].includes((params as { op: string }).op);
}

/** Writes a typed program equation by equation, each tried at once on the drawn inputs, so that values stay in range and away from jumps. */
export class Scope {
  readonly builder = new ProgramBuilder();
  readonly values: Value[] = [];
  readonly used = new Set<string>();

  constructor(readonly bounds: Bounds, readonly random: () => number) {}

  /** For the body of a loop or branch. */
  inner(): Scope { return new Scope(this.bounds, this.random); }

  input(value: NDArray, twin: NDArray = this.noisy(value)): Value {
    const aval = { ...value.aval, weak: false };
    return this.keep({ atom: this.builder.input(aval), aval, value, twin });
  }
  keep(v: Value): Value {
    this.values.push(v);
    return v;
  }

  noisy(x: NDArray): NDArray {
    if (!isFloat(x.dtype) || this.bounds.exact) return x;
    const scale = Math.max(largest(x.data), 1e-3) * this.bounds.noise;
    return arrayOf(Float64Array.from(x.data, (v) => v + scale * (2 * this.random() - 1)), x.aval);
  }

  literal(value: number, dtype: Aval["dtype"]): Value {
    const aval: Aval = { shape: [], dtype, weak: false };
    const x = arrayOf([value], aval);
    return { atom: new Literal(dtype === "bool" ? value !== 0 : value, aval), aval, value: x, twin: x };
  }
  /** A constant of a shape. */
  filled(value: number, like: Aval): Value | undefined {
    const scalar = this.literal(value, like.dtype);
    return like.shape.length === 0 ? scalar : this.apply(primitiveFamilies.structural.broadcast, [scalar], { shape: like.shape, dims: [] })?.[0];
  }

  /** Adds an equation; undefined where its types do not fit, or its values are out of range or near a jump. */
  apply(primitive: AnyPrimitive, operands: readonly Value[], params: Params = {}): Value[] | undefined {
    let types: readonly Aval[];
    try {
      types = primitive.abstractEval(operands.map((v) => v.aval), params);
    } catch (e) {
      if (e instanceof HessiaError) return undefined;
      throw e;
    }
    const { noise, maxSize, exact } = this.bounds;
    if (types.some((t) => sizeOf(t.shape) > maxSize) || (exact && !isExact(primitive, operands.map((v) => v.aval), params))) return undefined;
    const values = bind(primitive, operands.map((v) => v.value), params);
    const twins = exact ? values : bind(primitive, operands.map((v) => v.twin), params).map((x) => this.noisy(x));
    if (!exact && values.some((x, i) => !(deviation(x, twins[i]!) <= maxDeviation * noise))) return undefined;
    this.used.add(primitive.name);
    const outputs = this.builder.equation(primitive, operands.map((v) => v.atom), params);
    return outputs.map((atom: Var, i) => ({ atom, aval: atom.aval, value: values[i]!, twin: twins[i]! }));
  }
  apply1(primitive: AnyPrimitive, operands: readonly (Value | undefined)[], params: Params = {}): Value | undefined {
    return operands.every((v) => v !== undefined) ? this.apply(primitive, operands, params)?.[0] : undefined;
  }

  build(outputs: readonly Value[]): Program {
    return this.builder.build(outputs.map((v) => v.atom));
  }
}
