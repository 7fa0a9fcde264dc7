import { range } from "../base/shape.js";
import { defineRule, type AnyPrimitive, findRule, type Params } from "../ir/primitive.js";
import { type Program } from "../ir/program.js";
import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import { primitiveFamilies as p } from "../primitives/index.js";
import { stage } from "../trace/stage.js";
import { bind1 } from "../trace/trace.js";
import type { Aval } from "../ir/aval.js";
import { boolInput, distinctInput, fixedInput, intInput, realInput, type Sample, type SampleInput, samples } from "./samples.js";

const s = (inputs: readonly SampleInput[], params: Params = {}): Sample => ({ inputs, params });
const real = realInput;
const f64 = (...shape: number[]): Aval => ({ shape, dtype: "float64", weak: false });

const program = (types: readonly Aval[], f: (...xs: NDArray[]) => readonly NDArray[]): Program => stage(f, types, "sample").program;
const mul = (a: NDArray, b: NDArray) => bind1(p.binary.mul, [a, b], {});
const add = (a: NDArray, b: NDArray) => bind1(p.binary.add, [a, b], {});
const tanh = (x: NDArray) => bind1(p.unary.tanh, [x], {});
const number = (v: number) => ConcreteArray.fromHost(Float64Array.of(v), f64());
const counter: Aval = { shape: [], dtype: "int32", weak: false };

/** How the laws try each primitive of core that is not elementwise with a domain. */
function table(): [AnyPrimitive, readonly Sample[]][] {
  const { types, structural: st, reductions: red, cumulative: cum, indexing: ix, binary: b, unary: u } = p;
  const away = real([2, 3], 0.3, 2);
  const reduce = (input: (shape: readonly number[]) => SampleInput): Sample[] => [s([input([2, 3, 2])], { axes: [1] }), s([input([2, 3])], { axes: [0, 1] }), s([input([5])], { axes: [] })];
  const dims = (contract: readonly [readonly number[], readonly number[]], batch: readonly [readonly number[], readonly number[]] = [[], []]) => ({ contract, batch });
  const conv = (spatial: number, over: object = {}) => ({ strides: range(spatial).map(() => 1), low: range(spatial).map(() => 0), high: range(spatial).map(() => 0), inputDilation: range(spatial).map(() => 1), kernelDilation: range(spatial).map(() => 1), groups: 1, batchGroups: 1, ...over });
  const whole = intInput([4], -20, 20);
  return [
    [u.floor, [s([real([6], 0.1, 0.9)])]], [u.ceil, [s([real([6], 0.1, 0.9)])]], [u.round, [s([real([6], 0.6, 1.4)])]], [u.trunc, [s([real([6], 0.1, 0.9)])]],
    [u.sign, [s([away]), s([whole])]], [u.abs, [s([away]), s([real([4], -2, -0.3)]), s([whole])]], [u.neg, [s([real([3])]), s([whole])]],
    [u.not, [s([boolInput([5])]), s([whole])]], [u.isFinite, [s([fixedInput([1, Infinity, NaN, -Infinity, 0], [5], "float64")])]],
    [b.add, [s([real([2, 3]), real([2, 3])]), s([whole, whole])]], [b.sub, [s([real([3]), real([3])]), s([whole, whole])]], [b.mul, [s([real([3]), real([3])]), s([whole, whole])]],
    [b.div, [s([real([3]), real([3], 0.5, 2)]), s([whole, intInput([4], 1, 5)])]],
    [b.max, [s([distinctInput([6]), real([6], -0.01, 0.01)]), s([whole, whole])]], [b.min, [s([distinctInput([6]), real([6], -0.01, 0.01)]), s([whole, whole])]],
    [b.pow, [s([real([5], 0.3, 3), real([5], -2, 2)]), s([intInput([4], -3, 4), intInput([4], 0, 5)])]],
    [b.polygamma, [0, 1, 2].map((n) => s([{ ...fixedInput([n, n, n], [3], "float64"), differentiable: false }, real([3], 0.4, 5)]))],
    [b.igamma, [s([{ ...real([4], 0.5, 4), differentiable: false }, real([4], 0.3, 5)])]], [b.igammac, [s([{ ...real([4], 0.5, 4), differentiable: false }, real([4], 0.3, 5)])]],
    [b.nextafter, [s([real([4]), real([4])])]],
    ...(["and", "or", "xor"] as const).map((k): [AnyPrimitive, Sample[]] => [b[k], [s([boolInput([6]), boolInput([6])]), s([whole, whole])]]),
    ...(["shiftLeft", "shiftRight", "shiftRightArithmetic"] as const).map((k): [AnyPrimitive, Sample[]] => [b[k], [s([whole, intInput([4], 0, 33)]), s([intInput([4], 0, 99, "uint32"), intInput([4], 0, 33, "uint32")])]]),
    ...(["eq", "ne", "lt", "le", "gt", "ge"] as const).map((k): [AnyPrimitive, Sample[]] => [b[k], [s([real([5]), real([5])]), s([intInput([5], 0, 3), intInput([5], 0, 3)])]]),
    [types.convert, [s([real([4])], { dtype: "float32", weak: false }), s([real([4], -9, 9)], { dtype: "int32", weak: false }), s([whole], { dtype: "float64", weak: false }), s([boolInput([4])], { dtype: "float64", weak: false }), s([real([4])], { dtype: "bool", weak: false })]],
    [types.bitcast, [s([real([4], -2, 2, "float32")], { dtype: "int32" }), s([whole], { dtype: "float32" })]],
    [types.select, [s([boolInput([2, 3]), real([2, 3]), real([2, 3])])]], /* Its derivative is zero by definition, not by differences. */ [types.stopGradient, [s([{ ...real([3]), differentiable: false }])]], [types.ordinaryZeros, [s([real([2, 3])])]],
    [st.transpose, [s([real([2, 3, 4])], { permutation: [2, 0, 1] })]],
    [st.broadcast, [s([real([3])], { shape: [2, 3], dims: [1] }), s([real([1, 3])], { shape: [4, 2, 3], dims: [1, 2] }), s([real([])], { shape: [2, 2], dims: [] })]],
    [st.reshape, [s([real([2, 6])], { shape: [3, 4] }), s([real([1])], { shape: [] }), s([real([0, 3])], { shape: [3, 0] })]],
    [st.slice, [s([real([5, 4])], { start: [1, 0], limit: [5, 3], strides: [2, 1] }), s([real([4])], { start: [2], limit: [2], strides: [1] })]],
    [st.pad, [s([real([2, 3]), real([])], { low: [1, 0], high: [0, 2], interior: [0, 0] }), s([real([3]), real([])], { low: [-1], high: [2], interior: [2] }), s([real([4, 2]), real([])], { low: [-1, 1], high: [-1, -1], interior: [0, 1] })]],
    [st.reverse, [s([real([2, 3])], { axes: [0, 1] })]],
    [st.concatenate, [s([real([2, 3]), real([2, 1])], { axis: 1 }), s([real([2]), real([0]), real([3])], { axis: 0 })]],
    [st.iota, [s([], { shape: [2, 3], dtype: "int32", axis: 1 }), s([], { shape: [4], dtype: "float64", axis: 0 })]],
    [st.unitVectors, [s([], { shape: [2, 3], dtype: "float64", count: 8, offset: 1 }), s([], { shape: [], dtype: "float32", count: 3, offset: 2 })]],
    [st.windows, [s([real([7])], { window: [3], strides: [2], dilation: [1] }), s([real([4, 5])], { window: [2, 2], strides: [1, 2], dilation: [1, 2] })]],
    [st.overlapAdd, [s([real([3, 3])], { shape: [7], window: [3], strides: [2], dilation: [1] }), s([real([2, 3, 2, 2])], { shape: [3, 5], window: [2, 2], strides: [1, 1], dilation: [1, 2] })]],
    [red.reduceSum, reduce((shape) => real(shape))], [red.reduceProd, [...reduce((shape) => real(shape)), s([fixedInput([2, 0, 3, 0.5], [4], "float64")], { axes: [0] }), s([fixedInput([2, 0, 0, 0.5], [4], "float64")], { axes: [0] })]],
    [red.reduceMax, reduce((shape) => distinctInput(shape))], [red.reduceMin, reduce((shape) => distinctInput(shape))],
    [red.firstMax, reduce((shape) => distinctInput(shape))], [red.firstMin, reduce((shape) => distinctInput(shape))],
    [red.argmax, reduce((shape) => distinctInput(shape))], [red.argmin, reduce((shape) => distinctInput(shape))],
    [red.reduceAnd, reduce(boolInput)], [red.reduceOr, reduce(boolInput)], [red.reduceXor, reduce((shape) => intInput(shape, 0, 8))],
    ...(["cumsum", "cumprod"] as const).map((k): [AnyPrimitive, Sample[]] => [cum[k], [s([real([2, 4])], { axis: 1, reverse: false }), s([real([3, 2])], { axis: 0, reverse: true })]]),
    ...(["cummax", "cummin"] as const).map((k): [AnyPrimitive, Sample[]] => [cum[k], [s([distinctInput([2, 4])], { axis: 1, reverse: false }), s([distinctInput([5])], { axis: 0, reverse: true })]]),
    [p.sort.sort, [s([distinctInput([2, 5])], { axis: 1, keys: 1 }), s([distinctInput([4]), real([4])], { axis: 0, keys: 1 }), s([intInput([6], 0, 3), distinctInput([6])], { axis: 0, keys: 2 })]],
    [p.dot.dot, [s([real([2, 3]), real([3, 4])], dims([[1], [0]])), s([real([5]), real([5])], dims([[0], [0]])), s([real([2, 3, 4]), real([2, 5, 4])], dims([[2], [2]], [[0], [0]])), s([real([2, 3]), real([4])], dims([[], []])), s([real([9, 3]), real([9, 7])], dims([[0], [0]])), s([intInput([2, 3]), intInput([3, 2])], dims([[1], [0]]))]],
    [p.convolution.conv, [s([real([2, 2, 6]), real([3, 2, 3])], conv(1)), s([real([1, 4, 5, 5]), real([2, 2, 3, 2])], conv(2, { strides: [2, 1], low: [1, 0], high: [1, 1], groups: 2 })), s([real([1, 1, 4]), real([1, 1, 2])], conv(1, { inputDilation: [2], kernelDilation: [2], low: [1], high: [2] })), s([real([4, 2, 4]), real([2, 2, 2])], conv(1, { batchGroups: 2 }))]],
    [ix.gather, [s([real([4, 3]), fixedInput([0, 3, 3, 1], [2, 2])], { batchDims: 0, mode: "clip" }), s([real([2, 5]), fixedInput([4, 0, 1, 1], [2, 2])], { batchDims: 1, mode: "clip" }), s([real([3]), fixedInput([-1, 2, 7])], { batchDims: 0, mode: "fill" })]],
    [ix.scatter, [...(["set", "add", "mul", "min", "max"] as const).flatMap((op) => [s([distinctInput([4, 2]), fixedInput([2, 0]), distinctInput([2, 2])], { batchDims: 0, mode: "fill", op, uniqueIndices: false }), s([distinctInput([2, 3]), fixedInput([0, 2, 1, 5], [2, 2]), distinctInput([2, 2])], { batchDims: 1, mode: "fill", op, uniqueIndices: true })]), s([real([3]), fixedInput([1, 1, 0]), real([3])], { batchDims: 0, mode: "clip", op: "add", uniqueIndices: false }), s([real([3]), fixedInput([1, 1, 0]), real([3])], { batchDims: 0, mode: "clip", op: "set", uniqueIndices: false })]],
    [ix.dynamicSlice, [s([real([5, 4]), fixedInput([2], []), fixedInput([3], [])], { sizes: [2, 2] })]],
    [ix.dynamicUpdateSlice, [s([real([5, 4]), real([2, 2]), fixedInput([1], []), fixedInput([9], [])])]],
    [p.random.threefry2x32, [s(range(4).map((k) => fixedInput([k, 7, 123456789], [3], "uint32")))]],
    [p.call.call, [s([real([3]), real([3])], { name: "sample", program: program([f64(3), f64(3)], (x, y) => [mul(tanh(x!), y!), add(x!, y!)]) })]],
    [p.controlFlow.cond, [0, 1].map((k) => s([fixedInput([k], []), real([3])], { branches: [program([f64(3)], (x) => [tanh(x!)]), program([f64(3)], (x) => [mul(x!, x!)])] }))],
    [p.controlFlow.scan, [false, true].map((reverse) => s([real([2]), real([2]), real([4, 2])], { constants: 1, carry: 1, length: 4, reverse, program: program([f64(2), f64(2), f64(2)], (w, c, x) => { const next = tanh(add(mul(w!, c!), x!)); return [next, mul(next, c!)]; }) }))],
    [p.controlFlow.while, [s([real([]), fixedInput([0], []), real([])], { conditionConstants: 0, bodyConstants: 1, condition: program([counter, f64()], (i) => [bind1(p.binary.lt, [i!, ConcreteArray.fromHost(Int32Array.of(3), counter)], {})]), body: program([f64(), counter, f64()], (w, i, x) => [bind1(p.binary.add, [i!, ConcreteArray.fromHost(Int32Array.of(1), counter)], {}), tanh(mul(add(x!, w!), number(0.7)))]) })]],
  ];
}

/** Fills the samples slots of core's primitives; safe to call again. */
export function installCoreSamples(): void {
  for (const [primitive, list] of table()) if (!findRule(primitive, samples)) defineRule(primitive, samples, () => list);
}
