import { afterAll, describe, expect, it } from "vitest";
import { type DType, newTypedArray, type TypedArray } from "../../../base/dtype.js";
import { type ArithmeticFn, binary, bitcast, cast, type CompareFn, constant, type Expr, gather, guard, index, load, select, unary, type UnaryFn } from "../../../kernel/expr.js";
import type { BufferInfo } from "../../../kernel/schedule.js";
import { referenceBackend } from "../../reference/index.js";
import { along, execute, kernel, map, samples, schedule, ulps, suiteOn, webgpuForTests } from "../testing.js";

const gpu = await webgpuForTests("elementwise WGSL kernels");
afterAll(() => gpu?.idle());
const onGpu = suiteOn(gpu, describe, it);
const dtypes = ["bool", "int32", "uint32", "float32"] as const;

const typed = (dtype: DType, values: readonly number[]): TypedArray => {
  const out = newTypedArray(dtype, values.length);
  out.set(values);
  return out;
};

/** Runs one expression over vectors of length n on the device and on the reference. */
async function both(n: number, inputs: readonly [DType, TypedArray][], value: Expr): Promise<[TypedArray, TypedArray]> {
  const buffers: BufferInfo[] = [...inputs.map(([dtype, data]) => ({ dtype, size: data.length })), { dtype: value.dtype, size: n }];
  const s = schedule({ buffers, inputs: inputs.map((_, i) => i), outputs: [inputs.length], steps: [map(n, inputs.length, value)] });
  const data = inputs.map(([, d]) => d);
  return [(await execute(gpu!, s, data))[0]!, (await execute(referenceBackend, s, data))[0]!];
}

const pairs = (dtype: DType): [TypedArray, TypedArray] => {
  const v = samples(dtype);
  return [typed(dtype, v.flatMap((a) => v.map(() => a))), typed(dtype, v.flatMap(() => v))];
};

function same([got, want]: [TypedArray, TypedArray], bound: number, what: (i: number) => string): void {
  expect(got.constructor).toBe(want.constructor);
  expect(got.length).toBe(want.length);
  got.forEach((y, i) => expect(want instanceof Float32Array ? ulps(y, want[i]!) : Math.abs(y - want[i]!), `${what(i)}: got ${y}, expected ${want[i]}`).toBeLessThanOrEqual(bound));
}

onGpu("operations by dtype, against the reference", () => {
  const arithmeticOf: Readonly<Record<(typeof dtypes)[number], readonly ArithmeticFn[]>> = {
    bool: ["and", "or", "xor"],
    int32: ["add", "sub", "mul", "div", "rem", "pow", "max", "min", "and", "or", "xor", "shiftLeft", "shiftRight", "shiftRightArithmetic"],
    uint32: ["add", "sub", "mul", "div", "rem", "pow", "max", "min", "and", "or", "xor", "shiftLeft", "shiftRight", "shiftRightArithmetic"],
    float32: ["add", "sub", "mul", "div", "rem", "pow", "atan2", "max", "min"],
  };
  it.each(dtypes.flatMap((d) => arithmeticOf[d].map((fn) => [fn, d] as const)))("%s of %s", async (fn, dtype) => {
    const [a, b] = pairs(dtype);
    const of = (x: number) => load(dtype, x, along);
    same(await both(a.length, [[dtype, a], [dtype, b]], binary(fn, of(0), of(1))), dtype === "float32" ? 3 : 0, (i) => `${fn}(${a[i]}, ${b[i]})`);
  });

  const comparisons: readonly CompareFn[] = ["eq", "ne", "lt", "le", "gt", "ge"];
  it.each(dtypes.flatMap((d) => comparisons.map((fn) => [fn, d] as const)))("%s of %s", async (fn, dtype) => {
    const [a, b] = pairs(dtype);
    same(await both(a.length, [[dtype, a], [dtype, b]], binary(fn, load(dtype, 0, along), load(dtype, 1, along))), 0, (i) => `${fn}(${a[i]}, ${b[i]})`);
  });

  const unaryOf: readonly [UnaryFn, DType][] = [
    ...(["neg", "abs", "sign", "not"] as const).flatMap((fn) => [[fn, "int32"], [fn, "uint32"]] as [UnaryFn, DType][]), ["not", "bool"], ["isFinite", "float32"],
  ];
  it.each(unaryOf)("%s of %s", async (fn, dtype) => {
    const a = typed(dtype, samples(dtype));
    same(await both(a.length, [[dtype, a]], unary(fn, load(dtype, 0, along))), 0, (i) => `${fn}(${a[i]})`);
  });

  it.each(dtypes.flatMap((from) => dtypes.filter((to) => to !== from).map((to) => [from, to] as const)))("cast from %s to %s", async (from, to) => {
    const a = typed(from, [...samples(from), ...(from === "float32" ? [0.99, -0.99, 2147483520, 4294967040, -2147483648, 1e10, -1e10] : [])]);
    same(await both(a.length, [[from, a]], cast(to, load(from, 0, along))), 0, (i) => `${to}(${a[i]})`);
  });

  it.each([["float32", "int32"], ["float32", "uint32"], ["int32", "float32"], ["int32", "uint32"], ["uint32", "int32"], ["uint32", "float32"]] as const)("bitcast from %s to %s", async (from, to) => {
    const a = typed(from, samples(from).filter((v) => !Number.isNaN(v) && (from === "float32" || Math.abs(v) < 100 === false || v === 0)));
    same(await both(a.length, [[from, a]], bitcast(to, load(from, 0, along))), 0, (i) => `bitcast ${a[i]}`);
  });

  it.each(dtypes)("select and constants of %s", async (dtype) => {
    const values = samples(dtype);
    for (const c of values) {
      const condition = typed("bool", values.map((_, i) => i % 2));
      const data = typed(dtype, values);
      same(await both(values.length, [["bool", condition], [dtype, data]], select(load("bool", 0, along), load(dtype, 1, along), constant(dtype, c))), 0, (i) => `${i}: ${c}`);
    }
  });

  it("x == x and x != x find NaN", async () => {
    const x = load("float32", 0, along);
    const a = typed("float32", [1, NaN, Infinity, 0]);
    expect([...(await both(4, [["float32", a]], binary("ne", x, x)))[0]]).toEqual([0, 1, 0, 0]);
    expect([...(await both(4, [["float32", a]], binary("eq", x, x)))[0]]).toEqual([1, 0, 1, 1]);
  });
});

onGpu("index arithmetic", () => {
  it("transposes, flips and broadcasts through strides", async () => {
    const a = Float32Array.from({ length: 12 }, (_, i) => i);
    // out[i,j] = a[2 - j, i] + a[0, 3 - i] for a of [3,4]
    const value = binary("add", load("float32", 0, { offset: 8, strides: [1, -4] }), load("float32", 0, { offset: 3, strides: [-1, 0] }));
    const s = schedule({ buffers: [{ dtype: "float32", size: 12 }, { dtype: "float32", size: 12 }], inputs: [0], outputs: [1], steps: [kernel({ dims: [4, 3], outputs: [{ buffer: 1, index: { offset: 0, strides: [3, 1] }, value }] })] });
    const want = Float32Array.from({ length: 12 }, (_, k) => { const [i, j] = [Math.floor(k / 3), k % 3]; return a[(2 - j) * 4 + i]! + a[3 - i]!; });
    expect((await execute(gpu!, s, [a]))[0]).toEqual(want);
  });

  it("guards with bounds and steps keep loads in range", async () => {
    // Dilation by 2 and padding by 3: every second element from 3 on, else -1.
    const a = Float32Array.from([1, 2, 3, 4]);
    const place = { offset: 0, strides: [1] };
    const value = guard([{ index: place, lo: 3, hi: 11, step: 2 }], gather("float32", 0, binary("div", index({ offset: -3, strides: [1] }), constant("int32", 2))), constant("float32", -1));
    const [got, want] = await both(12, [["float32", a]], value);
    expect(got).toEqual(Float32Array.from([-1, -1, -1, 1, -1, 2, -1, 3, -1, 4, -1, -1]));
    expect(got).toEqual(want);
  });

  it("what two guards share is computed in both", async () => {
    const a = Float32Array.from([1, 2, 3, 4]);
    const shared = unary("exp", load("float32", 0, along));
    const inside = (lo: number, hi: number) => guard([{ index: along, lo, hi, step: 1 }], shared, constant("float32", 0));
    same(await both(4, [["float32", a]], binary("sub", binary("add", inside(0, 2), inside(1, 4)), shared)), 1, String);
  });

  it("gathers by a computed index, and bool elements", async () => {
    const flags = typed("bool", [1, 0, 0, 1, 1]);
    const at = typed("int32", [4, 0, 2, 1, 1, 3]);
    expect([...(await both(6, [["bool", flags], ["int32", at]], gather("bool", 0, load("int32", 1, along))))[0]]).toEqual([1, 1, 0, 0, 0, 1]);
  });

  it("loads and stores at a base read from memory", async () => {
    const k = load("int32", 1, { offset: 0, strides: [] });
    const s = schedule({
      buffers: [{ dtype: "float32", size: 8 }, { dtype: "int32", size: 1 }, { dtype: "float32", size: 8 }], inputs: [0, 1], outputs: [2],
      steps: [map(8, 2, constant("float32", 0)), kernel({ dims: [2], outputs: [{ buffer: 2, index: along, base: binary("add", k, constant("int32", 1)), value: load("float32", 0, along, k) }] })],
    });
    expect([...(await execute(gpu!, s, [Float32Array.from({ length: 8 }, (_, i) => i + 10), Int32Array.of(3)]))[0]!]).toEqual([0, 0, 0, 0, 13, 14, 0, 0]);
  });

  it("several outputs, scalars and empty arrays", async () => {
    const s = schedule({
      buffers: [{ dtype: "float32", size: 1 }, { dtype: "float32", size: 1 }, { dtype: "bool", size: 1 }, { dtype: "int32", size: 0 }], inputs: [0], outputs: [1, 2, 3],
      steps: [
        kernel({ dims: [], outputs: [{ buffer: 1, index: { offset: 0, strides: [] }, value: unary("neg", load("float32", 0, { offset: 0, strides: [] })) }, { buffer: 2, index: { offset: 0, strides: [] }, value: binary("gt", load("float32", 0, { offset: 0, strides: [] }), constant("float32", 1)) }] }),
        map(0, 3, constant("int32", 1)),
      ],
    });
    expect(await execute(gpu!, s, [Float32Array.of(2.5)])).toEqual([Float32Array.of(-2.5), Uint8Array.of(1), new Int32Array(0)]);
  });

  it("takes more elements than one dimension of workgroups holds", async () => {
    const n = 65535 * 256 + 77;
    const s = schedule({ buffers: [{ dtype: "int32", size: n }], outputs: [0], steps: [map(n, 0, index({ offset: 5, strides: [3] }))] });
    const [y] = await execute(gpu!, s, []);
    expect([y![0], y![n >> 1], y![n - 1]]).toEqual([5, 5 + 3 * (n >> 1), 5 + 3 * (n - 1)]);
  });
});
