import { HessiaError, type NDArray } from "@hessia/core";
import { type AnyPrimitive, allPrimitives, type Aval, bind, ConcreteArray, getBackend, isFloat, primitiveFamilies } from "@hessia/core/extend";
import { afterAll, describe, expect, it } from "vitest";

type DType = Aval["dtype"];
const floats = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-3, 3, 10, 100, -100, 750, -750, 1e10, -1e10, 3e38, 1e-38, 1e-45, Infinity, -Infinity, NaN];
/** Values at which functions change their method or their meaning. */
const special: Readonly<Record<DType, readonly number[]>> = {
  bool: [0, 1],
  int32: [0, 1, -1, 2, 3, -3, 7, 31, 32, 33, -32, 65536, 2 ** 31 - 1, -(2 ** 31)],
  uint32: [0, 1, 2, 3, 31, 32, 33, 65536, 2 ** 31, 2 ** 32 - 1],
  float32: floats,
  float64: [...floats, 1e300, -1e300, 1e-300, 5e-324, 2 ** 53, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 52 + 0.5, 1 - 2 ** -53, 1 + 2 ** -52],
};
const arrays = { bool: Uint8Array, int32: Int32Array, uint32: Uint32Array, float32: Float32Array, float64: Float64Array };
const on = (device: string, dtype: DType, values: readonly number[]): ConcreteArray => ConcreteArray.fromHost(arrays[dtype].from(values), { shape: [values.length], dtype, weak: false }, getBackend(device));

/** All pairs of special values of a dtype, as the operands of a primitive. */
function operands(primitive: AnyPrimitive, dtype: DType): number[][] | undefined {
  for (const arity of [1, 2]) {
    const values = special[dtype];
    const columns = arity === 1 ? [[...values]] : [values.flatMap((a) => values.map(() => a)), values.flatMap(() => [...values])];
    try {
      primitive.abstractEval(columns.map((c): Aval => ({ shape: [c.length], dtype, weak: false })), {});
      return columns;
    } catch (e) {
      if (!(e instanceof HessiaError)) throw e;
    }
  }
  return undefined;
}

const families = [primitiveFamilies.unary, primitiveFamilies.binary] as readonly Readonly<Record<string, AnyPrimitive>>[];
const elementwise = families.flatMap((f) => Object.values(f));
let compared = 0;

function near(got: ArrayLike<number>, expected: ArrayLike<number>, dtype: DType, inputs: readonly (readonly number[])[]): string[] {
  const wrong: string[] = [];
  const ulp = dtype === "float64" ? 2 ** -52 : 2 ** -23;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [got[i]!, expected[i]!];
    compared++;
    const smallest = dtype === "float64" ? 1e-307 : 1e-37;
    if (Object.is(a, b) || (a === b && a !== 0) || (isFloat(dtype) && Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= Math.max(16 * ulp * Math.abs(b), smallest * ulp * 8) && Object.is(Math.sign(a) * 0, Math.sign(b) * 0))) continue;
    wrong.push(`(${inputs.map((c) => String(c[i])).join(", ")}): ${a}, expected ${b}`);
  }
  return wrong;
}

describe("wasm and the reference agree at special values", () => {
  for (const p of elementwise)
    for (const dtype of ["bool", "int32", "uint32", "float32", "float64"] as const) {
      const columns = operands(p, dtype);
      if (!columns) continue;
      it(`${p.name} of ${dtype}`, () => {
        const [expected, got] = ["reference", "wasm"].map((device) => bind(p, columns.map((c) => on(device, dtype, c)), {})[0]!) as [NDArray, NDArray];
        expect(near(got.data, expected.data, expected.dtype, columns)).toEqual([]);
      });
    }

  for (const from of ["bool", "int32", "uint32", "float32", "float64"] as const)
    for (const to of ["bool", "int32", "uint32", "float32", "float64"] as const)
      it(`convert from ${from} to ${to}`, () => {
        const [expected, got] = ["reference", "wasm"].map((device) => bind(primitiveFamilies.types.convert, [on(device, from, special[from])], { dtype: to, weak: false })[0]!) as [NDArray, NDArray];
        expect(near(got.data, expected.data, to, [special[from]])).toEqual([]);
      });

  const { reductions, cumulative } = primitiveFamilies;
  for (const p of [...Object.values(reductions), ...Object.values(cumulative), primitiveFamilies.sort.sort] as AnyPrimitive[])
    for (const dtype of ["bool", "int32", "uint32", "float32", "float64"] as const)
      it(`${p.name} of ${dtype}`, () => {
        const values = special[dtype];
        // Rotations, so that NaN and the infinities come first, in the middle and last; and a stretch without NaN.
        const rows = [values, values.filter((v) => !Number.isNaN(v)), ...[1, 2, 5].map((k) => [...values.slice(k), ...values.slice(0, k)]), [...values].reverse()];
        const params = p.name === "sort" ? { axis: 0, keys: 1 } : p.name in cumulative ? { axis: 0, reverse: false } : { axes: [0] };
        try {
          p.abstractEval([{ shape: [3], dtype, weak: false }], params);
        } catch (e) {
          if (e instanceof HessiaError) return;
          throw e;
        }
        for (const row of rows) {
          const [expected, got] = ["reference", "wasm"].map((device) => bind(p, [on(device, dtype, row)], params)[0]!) as [NDArray, NDArray];
          // Finite sums and products of floats of all sizes depend on their order.
          const free = isFloat(expected.dtype) && /sum|prod/i.test(p.name);
          const positions = Array.from(expected.data.keys()).filter((i) => !(free && Number.isFinite(expected.data[i]) && Number.isFinite(got.data[i])));
          const at = (data: ArrayLike<number>): number[] => positions.map((i) => data[i]!);
          expect(near(at(got.data), at(expected.data), expected.dtype, [at(row)])).toEqual([]);
        }
      });
  it("names every elementwise primitive", () => expect(allPrimitives().filter((p) => p.facts.elementwise && elementwise.includes(p)).length).toBe(elementwise.length));
  afterAll(() => console.log(`special values: ${compared} results of ${elementwise.length} elementwise primitives, casts and reductions compared`));
});
