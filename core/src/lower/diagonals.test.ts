import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluator } from "../backends/reference/evaluate.js";
import { range, sizeOf } from "../base/shape.js";
import { type Affine, binary, type Bound, constant, type Expr, guard, index, load, select, structuralZero, unary } from "../kernel/expr.js";
import { boxSizes, diagonalAt, diagonalsOf, disjoint } from "./diagonals.js";
import { type Pin, splitPin } from "./pins.js";

const data = [Float64Array.from({ length: 300 }, (_, i) => ((i * 7) % 11) - 5.5), Float64Array.from({ length: 300 }, (_, i) => ((i * 5) % 13) / 4 - 1)];

/** All indices of a box. */
const indices = (sizes: readonly number[]): number[][] => sizes.reduce<number[][]>((all, n) => all.flatMap((i) => range(n).map((k) => [...i, k])), [[]]);
const at = (a: Affine, i: readonly number[]): number => a.offset + a.strides.reduce((sum, s, d) => sum + s * i[d]!, 0);
const holds = (pins: readonly Pin[], i: readonly number[]): boolean => pins.every((p) => at({ offset: 0, strides: p.strides }, i) === p.value);

const sizesOf = fc.array(fc.constantFrom(1, 2, 3, 4, 7), { minLength: 1, maxLength: 4 });
const pinOf = (ndim: number): fc.Arbitrary<Pin> => fc.record({ strides: fc.array(fc.constantFrom(0, 0, 1, -1, 1, -1, 2, 4, -4, 8), { minLength: ndim, maxLength: ndim }), value: fc.integer({ min: -4, max: 8 }) });

describe("pins", () => {
  it("split into digits hold where the whole holds", () => {
    fc.assert(fc.property(sizesOf.chain((sizes) => fc.tuple(fc.constant(sizes), pinOf(sizes.length))), ([sizes, pin]) => {
      const split = splitPin(pin, sizes);
      for (const i of indices(sizes)) expect(split !== undefined && holds(split, i)).toBe(holds([pin], i));
    }));
  });
  it("numbers of equal digits are equal digit by digit", () => {
    expect(splitPin({ strides: [8, 1, -8, -1], value: 0 }, [4, 8, 4, 8])).toEqual([{ strides: [1, 0, -1, 0], value: 0 }, { strides: [0, 1, 0, -1], value: 0 }]);
    expect(splitPin({ strides: [2, 4], value: 3 }, [5, 5])).toBeUndefined();
  });
});

describe("diagonalAt", () => {
  it("lists every index that fulfils the pins once", () => {
    fc.assert(fc.property(sizesOf.chain((sizes) => fc.tuple(fc.constant(sizes), fc.array(pinOf(sizes.length), { minLength: 1, maxLength: 3 }))), ([sizes, pins]) => {
      const wanted = indices(sizes).filter((i) => holds(pins, i)).map(String);
      const d = diagonalAt(pins, sizes);
      if (d === undefined) return;
      if (d === "empty") {
        expect(wanted).toEqual([]);
        return;
      }
      const found = indices(boxSizes(d)).filter((k) => d.bounds.every((b) => at(b.index, k) >= b.lo && at(b.index, k) < b.hi)).map((k) => String(d.place.map((a) => at(a, k))));
      expect(found.sort()).toEqual(wanted.sort());
    }));
  });
});

/** Expressions over these dimensions of which many parts are zero. */
function expressions(sizes: readonly number[]): fc.Arbitrary<Expr> {
  const n = sizes.length;
  const affine: fc.Arbitrary<Affine> = fc.record({ offset: fc.integer({ min: 0, max: 3 }), strides: fc.array(fc.constantFrom(0, 1, 2, -1), { minLength: n, maxLength: n }) });
  const pinned: fc.Arbitrary<Bound> = pinOf(n).map((p) => ({ index: { offset: 0, strides: p.strides }, lo: p.value, hi: p.value + 1, step: 1 }));
  const ranged: fc.Arbitrary<Bound> = fc.tuple(affine, fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 4 }), fc.constantFrom(1, 1, 2)).map(([a, lo, count, step]) => ({ index: a, lo, hi: lo + count, step }));
  const zero = structuralZero("float64");
  const { expr } = fc.letrec<{ expr: Expr; dense: Expr }>((tie) => ({
    dense: fc.oneof(fc.tuple(fc.constantFrom(0, 1), affine).map(([b, a]) => load("float64", b, a)), fc.constantFrom(0, 1, 2).map((v) => constant("float64", v))),
    expr: fc.oneof(
      { maxDepth: 4, depthSize: "medium" },
      tie("dense"),
      fc.tuple(pinned, tie("dense")).map(([b, x]) => guard([b], x, zero)),
      fc.tuple(fc.oneof(pinned, ranged), fc.array(ranged, { maxLength: 1 }), tie("expr"), fc.constantFrom(zero, constant("float64", 0))).map(([b, more, x, out]) => guard([b, ...more], x, out)),
      fc.tuple(fc.constantFrom("mul", "add", "sub", "add", "mul"), tie("expr"), tie("expr")).map(([fn, a, b]) => binary(fn as "mul", a, b)),
      tie("expr").map((x) => unary("neg", x)),
      tie("expr").map((x) => unary("tanh", x)),
      fc.tuple(affine, tie("expr"), tie("expr")).map(([a, x, y]) => select(binary("lt", index(a), constant("int32", 3)), x, y)),
    ),
  }));
  return expr;
}

describe("diagonalsOf", () => {
  it("what is on and off the diagonals is the value", () => {
    let split = 0;
    fc.assert(fc.property(sizesOf.chain((sizes) => fc.tuple(fc.constant(sizes), expressions(sizes))), ([shape, expr]) => {
      const parts = diagonalsOf({ shape, dtype: "float64", expr });
      if (!parts) return;
      split++;
      const value = evaluator(expr, data);
      const rest = evaluator(parts.rest, data);
      const values = parts.parts.map((p) => evaluator(p.value, data));
      for (const i of indices(shape)) {
        const on = parts.parts.flatMap((p, k) => (holds(p.diagonal.pins, i) ? [values[k]!(p.diagonal.free.map((f) => i[f.dim]! - f.start))] : []));
        // An index on several diagonals has its value on each. Zeros may differ in sign.
        for (const v of on.length > 0 ? on : [rest(i)]) expect(v + 0).toBe(value(i) + 0);
        if (disjoint(parts.parts, shape)) expect(on.length).toBeLessThanOrEqual(1);
      }
    }), { numRuns: 500 });
    expect(split).toBeGreaterThan(50);
  });
  it("keeps each index of a box within the whole", () => {
    fc.assert(fc.property(sizesOf.chain((sizes) => fc.tuple(fc.constant(sizes), pinOf(sizes.length))), ([shape, pin]) => {
      const d = diagonalAt([pin], shape);
      if (!d || d === "empty" || d.bounds.length > 0) return;
      for (const k of indices(boxSizes(d))) d.place.forEach((a, dim) => expect(at(a, k) >= 0 && at(a, k) < shape[dim]!).toBe(true));
      expect(sizeOf(boxSizes(d))).toBeLessThanOrEqual(sizeOf(shape));
    }));
  });
});
