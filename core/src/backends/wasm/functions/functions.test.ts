import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ulpSize } from "../../../kernel/functions/fixtures/ulp.js";
import { ModuleBuilder } from "../assembler/index.js";
import { compileMap } from "./fixtures/apply.js";
import type { Floats, How } from "./fixtures/apply.js";
import { arguments32, edgesOf, errorInUlps32, reference } from "./fixtures/sweep.js";
import { vectorizedNames } from "./definitions.js";

const points = JSON.parse(readFileSync(new URL("../../../kernel/functions/fixtures/points.json", import.meta.url), "utf8")) as Record<string, number[][]>;
/** Whether this engine has relaxed SIMD. */
const hasRelaxed = WebAssembly.validate(relaxedModule());
function relaxedModule(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.function("f", ["v128"], ["v128"]).get(0).get(0).get(0).op("f64x2.relaxed_madd");
  return module.finish();
}

const bound64: Record<string, number> = { erfc: 8, erfInv: 8, lgamma: 8, digamma: 8 };
/** JavaScript's remainder is exact, and needs no other reference. */
function exactRows(name: "rem" | (typeof vectorizedNames)[number]): number[][] {
  if (name !== "rem") throw new Error(`there are no points for ${name}`);
  const [x, y] = [points["pow"]!.map((row) => row[0]!), points["atan2"]!.map((row) => row[1]!)];
  return x.slice(0, y.length).map((a, i) => [a, y[i]!, a % y[i]!, 0]);
}
const columns = (rows: readonly number[][], arity: number): Float64Array[] => {
  const padded = [...rows, ...rows.slice(0, (4 - (rows.length % 4)) % 4)];
  return Array.from({ length: arity }, (_, i) => Float64Array.from(padded, (r) => r[i]!));
};

describe.each([false, ...(hasRelaxed ? [true] : [])])("relaxed SIMD: %s", (relaxed) => {
  for (const name of vectorizedNames) {
    const { arity, call } = reference(name);
    it(`${name} float64 within ${bound64[name] ?? 2} ulp of 50-digit references`, () => {
      const rows = points[name] ?? exactRows(name);
      const got = compileMap(name, "float64", "vector", relaxed)(...columns(rows, arity));
      rows.forEach((row, i) => {
        const error = Math.abs((got[i]! - row[arity]!) / ulpSize(row[arity]!) - row[arity + 1]!);
        // Near the zeros of the gamma functions the last bit of the argument decides about more than that of the result.
        const condition = Math.max(1, row[arity + 2] ?? 1);
        expect(error, `at ${row.slice(0, arity).join(", ")}: ${got[i]}`).toBeLessThanOrEqual((bound64[name] ?? 2) * condition);
      });
    });

    it(`${name} float32 within 2 ulp over all exponents`, () => {
      const run = compileMap(name, "float32", "vector", relaxed);
      for (const args of arguments32(name, 1 << 14)) {
        const got = run(...args);
        for (let i = 0; i < got.length; i++) {
          const x = args.map((a) => a[i]!);
          const error = errorInUlps32(got[i]!, call(...x));
          if (!(error <= 2)) expect.fail(`${name}(${x.join(", ")}) = ${got[i]}, want ${Math.fround(call(...x))}`);
        }
      }
    });

    it(`${name} at infinities, NaN, zeros and the ends of the range`, () => {
      for (const dtype of ["float64", "float32"] as const) {
        const cases = edgesOf(arity, dtype);
        const args = cases.map((c) => (dtype === "float64" ? Float64Array.from(c) : Float32Array.from(c)));
        const got = compileMap(name, dtype, "vector", relaxed)(...args);
        for (let i = 0; i < got.length; i++) {
          const x = args.map((a) => a[i]!);
          const exact = call(...x);
          const want = dtype === "float64" ? exact : Math.fround(exact);
          const label = `${dtype} ${name}(${x.map((v) => (Object.is(v, -0) ? "-0" : v)).join(", ")}) = ${Object.is(got[i], -0) ? "-0" : got[i]}`;
          if (Number.isNaN(want) || want === 0 || !Number.isFinite(want)) expect(got[i], label).toBe(want);
          else if (dtype === "float64") expect(Math.abs(got[i]! - want), label).toBeLessThanOrEqual(3 * ulpSize(want));
          else expect(errorInUlps32(got[i]!, exact), label).toBeLessThanOrEqual(2);
        }
      }
    });

    it(`${name} gives the same bits called, in place, side by side and one by one`, () => {
      for (const dtype of ["float64", "float32"] as const) {
        const sample = arguments32(name, 256)[5]!;
        const args: Floats[] = dtype === "float32" ? sample : sample.map((a) => Float64Array.from(a, (v) => v * 1.0000001));
        const bits = (how: How): Uint8Array => new Uint8Array(compileMap(name, dtype, how, relaxed)(...args).buffer);
        const expected = bits("vector");
        expect(bits("inline")).toEqual(expected);
        expect(bits("lockstep")).toEqual(expected);
        expect(bits("straight")).toEqual(expected);
        expect(bits("scalar")).toEqual(expected);
      }
    });
  }
});

it("tanh float32 within 2 ulp where it nears 1, densely", () => {
  const run = compileMap("tanh", "float32");
  const x = Float32Array.from({ length: 1 << 18 }, (_, i) => 0.05 + i * 2 ** -14.6);
  run(x).forEach((y, i) => {
    if (!(errorInUlps32(y, Math.tanh(x[i]!)) <= 2)) expect.fail(`tanh(${x[i]}) = ${y}`);
  });
});

it("exp is the same for a lane whatever its neighbours are", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const make = (values: number[]): Floats => (dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values));
    const run = compileMap("exp", dtype);
    const plain = [0.3, -5, 60, -80];
    const alone = run(make(plain));
    for (const odd of [NaN, Infinity, -Infinity, 1e30, -745, 88.8, -104])
      plain.forEach((_, at) => {
        const mixed = run(make(plain.map((v, i) => (i === at ? odd : v))));
        mixed.forEach((y, i) => { if (i !== at) expect(y).toBe(alone[i]); });
      });
  }
});

it("gives signs and exact results where they are due", () => {
  const at = (name: "exp2" | "log2" | "log10" | "cbrt" | "pow" | "atan2" | "expm1", ...x: number[]): number => compileMap(name, "float64")(...x.map((v) => new Float64Array(4).fill(v)))[0]!;
  for (let k = -1074; k < 1024; k += 61) {
    expect(at("exp2", k)).toBe(2 ** k);
    expect(at("log2", 2 ** k)).toBe(k);
  }
  for (let k = 0; k <= 22; k++) expect(at("log10", 10 ** k)).toBe(k);
  for (let k = 1; k < 60; k += 7) expect(at("cbrt", k ** 3)).toBe(k);
  expect(at("pow", 3, 4)).toBe(81);
  expect(at("pow", -2, 3)).toBe(-8);
  expect(at("atan2", 0, -1)).toBe(Math.PI);
  expect(at("atan2", -0, -1)).toBe(-Math.PI);
});
