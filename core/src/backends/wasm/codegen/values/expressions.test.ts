import { describe, expect, it } from "vitest";
import { allDTypes, isFloat, newTypedArray } from "../../../../base/dtype.js";
import type { DType, TypedArray } from "../../../../base/dtype.js";
import { binary, bitcast, cast, constant, gather, guard, index, isCompare, load, select, unary } from "../../../../kernel/expr.js";
import type { BinaryFn, Expr, UnaryFn } from "../../../../kernel/expr.js";
import { arithmeticFunctions, nextafterFloat32, unaryFunctions } from "../../../../kernel/functions/index.js";
import { affine, backends, expectClose, expectSame, kernelStep, mapKernel, randomArray, runOn, schedule, whole } from "../../test-support.js";

const round = (dtype: DType, x: number): number => {
  const a = newTypedArray(dtype, 1);
  a[0] = dtype === "bool" ? (x ? 1 : 0) : x;
  return a[0]!;
};

const special: Readonly<Record<DType, readonly number[]>> = {
  bool: [0, 1],
  int32: [0, 1, -1, 2, -3, 7, 31, 32, 33, -2147483648, 2147483647, 65536, -65537],
  uint32: [0, 1, 2, 3, 7, 31, 32, 33, 4294967295, 2147483648, 65536],
  float32: [0, -0, 1, -1, 0.5, 1.5, 2.5, -0.5, -2.5, 3.7, -3.7, 1e-20, 1e20, -1e20, 2147483648, -2147483649, 4294967296, Infinity, -Infinity, NaN],
  float64: [0, -0, 1, -1, 0.5, 1.5, 2.5, -0.5, -2.5, 3.7, -3.7, 1e-300, 1e300, -1e300, 2147483647.5, -2147483648.9, 4294967295.5, Infinity, -Infinity, NaN],
};

const typed = (dtype: DType, values: readonly number[]): TypedArray => {
  const a = newTypedArray(dtype, values.length);
  values.forEach((x, i) => (a[i] = x));
  return a;
};

/** Evaluates `f` elementwise in plain numbers and compares both backends with it, at lengths that reach vectors and remainders. */
function check(what: string, inputs: readonly TypedArray[], out: DType, value: (loads: Expr[]) => Expr, f: (...x: number[]) => number, ulps = 0): void {
  const n = inputs[0]!.length;
  const dtypes = inputs.map((a) => (a instanceof Float64Array ? "float64" : a instanceof Float32Array ? "float32" : a instanceof Int32Array ? "int32" : a instanceof Uint32Array ? "uint32" : "bool") as DType);
  for (const length of [1, 3, n]) {
    const cut = inputs.map((a) => a.slice(n - length));
    const expected = newTypedArray(out, length);
    for (let i = 0; i < length; i++) expected[i] = round(out, f(...cut.map((a) => a[i]!)));
    const s = schedule(cut, [{ dtype: out, size: length }], [kernelStep(mapKernel([length], [{ buffer: cut.length, value: value(cut.map((_, k) => whole(dtypes[k]!, k, [length]))) }]))]);
    for (const [name, backend] of Object.entries(backends)) expectClose(runOn(backend, s, cut)[0]!, expected, ulps, () => `${what} ${name} n=${length} of [${cut.map((a) => a.join(" ")).join(" | ")}]`);
  }
}

const pairs = (dtype: DType): [TypedArray, TypedArray] => {
  const values = special[dtype];
  return [typed(dtype, values.flatMap((a) => values.map(() => a))), typed(dtype, values.flatMap(() => values))];
};

describe("unary functions", () => {
  const integer: Partial<Record<UnaryFn, (x: number) => number>> = {
    neg: (x) => -x, abs: Math.abs, sign: Math.sign, floor: (x) => x, ceil: (x) => x, round: (x) => x, trunc: (x) => x, not: (x) => ~x,
  };
  for (const fn of Object.keys(unaryFunctions) as UnaryFn[])
    for (const dtype of ["float32", "float64"] as const)
      it(`${fn} of ${dtype}`, () => {
        if (fn === "not") return;
        const exact = ["neg", "abs", "sign", "floor", "ceil", "round", "trunc", "sqrt", "isFinite"].includes(fn);
        // Moderate arguments: accuracy over whole ranges is the business of the functions' own tests.
        const inputs = exact ? special[dtype] : [0, 0.1, 0.5, 0.9, 1, 1.5, 2, 3.7, 10, NaN];
        check(fn, [typed(dtype, [...inputs, ...inputs])], fn === "isFinite" ? "bool" : dtype, ([x]) => unary(fn, x!), unaryFunctions[fn], exact ? 0 : 16);
      });
  for (const [fn, f] of Object.entries(integer) as [UnaryFn, (x: number) => number][])
    for (const dtype of ["int32", "uint32"] as const)
      it(`${fn} of ${dtype}`, () => check(fn, [typed(dtype, special[dtype])], dtype, ([x]) => unary(fn, x!), f));
  it("not of bool", () => check("not", [typed("bool", [0, 1, 1, 0, 1, 0, 0])], "bool", ([x]) => unary("not", x!), (x) => 1 - x));
});

describe("binary functions", () => {
  const compare: Readonly<Record<string, (a: number, b: number) => boolean>> = { eq: (a, b) => a === b, ne: (a, b) => a !== b, lt: (a, b) => a < b, le: (a, b) => a <= b, gt: (a, b) => a > b, ge: (a, b) => a >= b };
  for (const [fn, f] of Object.entries(compare))
    for (const dtype of allDTypes) it(`${fn} of ${dtype}`, () => check(fn, pairs(dtype), "bool", ([a, b]) => binary(fn as BinaryFn, a!, b!), (a, b) => Number(f(a, b))));

  for (const fn of ["add", "sub", "mul", "div", "max", "min", "rem"] as const)
    for (const dtype of ["float32", "float64"] as const) it(`${fn} of ${dtype}`, () => check(fn, pairs(dtype), dtype, ([a, b]) => binary(fn, a!, b!), arithmeticFunctions[fn]));
  for (const fn of ["pow", "atan2", "igamma", "igammac"] as const)
    for (const dtype of ["float32", "float64"] as const) {
      const values = [0.3, 1, 1.7, 2.5, 4, 0.01, 6];
      it(`${fn} of ${dtype}`, () => check(fn, [typed(dtype, values.flatMap((a) => values.map(() => a))), typed(dtype, values.flatMap(() => values))], dtype, ([a, b]) => binary(fn, a!, b!), arithmeticFunctions[fn], 32));
    }
  it("polygamma", () => check("polygamma", [typed("float64", [0, 1, 2, 3, 1]), typed("float64", [0.5, 1.5, 2.5, 3.5, 9])], "float64", ([n, x]) => binary("polygamma", n!, x!), arithmeticFunctions.polygamma, 64));
  it("nextafter of float64", () => check("nextafter", pairs("float64"), "float64", ([a, b]) => binary("nextafter", a!, b!), arithmeticFunctions.nextafter));
  it("nextafter of float32", () => check("nextafter", pairs("float32"), "float32", ([a, b]) => binary("nextafter", a!, b!), nextafterFloat32));

  const signed: Partial<Record<BinaryFn, (a: number, b: number) => number>> = {
    add: (a, b) => a + b, sub: (a, b) => a - b, mul: Math.imul,
    div: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)), rem: (a, b) => (b === 0 ? a : a % b), max: Math.max, min: Math.min,
    and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b,
    shiftLeft: (a, b) => (b >>> 0 > 31 ? 0 : a << b), shiftRight: (a, b) => (b >>> 0 > 31 ? 0 : a >>> b),
  };
  for (const [fn, f] of Object.entries(signed) as [BinaryFn, (a: number, b: number) => number][])
    for (const dtype of ["int32", "uint32"] as const) it(`${fn} of ${dtype}`, () => check(fn, pairs(dtype), dtype, ([a, b]) => binary(fn, a!, b!), f));
  it("shiftRightArithmetic", () => {
    check("sra", pairs("int32"), "int32", ([a, b]) => binary("shiftRightArithmetic", a!, b!), (a, b) => a >> (b >>> 0 > 31 ? 31 : b));
    check("sra", pairs("uint32"), "uint32", ([a, b]) => binary("shiftRightArithmetic", a!, b!), (a, b) => (b > 31 ? 0 : a >>> b));
  });
  for (const n of [0, 1, 5, 31, 32, 40])
    for (const fn of ["shiftLeft", "shiftRight", "shiftRightArithmetic"] as const)
      it(`${fn} by the constant ${n}`, () => {
        const shift = (a: number): number => (fn === "shiftLeft" ? (n > 31 ? 0 : a << n) : fn === "shiftRight" ? (n > 31 ? 0 : a >>> n) : a >> Math.min(n, 31));
        check(fn, [typed("int32", special.int32)], "int32", ([a]) => binary(fn, a!, constant("int32", n)), shift);
      });
  it("pow of integers", () => {
    const power = (a: number, b: number): number => {
      if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 ? -1 : 1) : 0;
      let r = 1;
      for (let i = 0; i < b; i++) r = Math.imul(r, a);
      return r;
    };
    const a = [2, -3, 1, -1, 0, 7, -1, 5];
    const b = [10, 3, -4, -3, 0, 11, -2, -1];
    check("pow", [typed("int32", a), typed("int32", b)], "int32", ([x, y]) => binary("pow", x!, y!), power);
    check("pow", [typed("uint32", [2, 3, 0, 7]), typed("uint32", [31, 3, 0, 11])], "uint32", ([x, y]) => binary("pow", x!, y!), power);
  });
  for (const [fn, f] of Object.entries({ and: (a: number, b: number) => a & b, or: (a: number, b: number) => a | b, xor: (a: number, b: number) => a ^ b, max: Math.max, min: Math.min }) as [BinaryFn, (a: number, b: number) => number][])
    it(`${fn} of bool`, () => check(fn, [typed("bool", [0, 0, 1, 1, 0]), typed("bool", [0, 1, 0, 1, 1])], "bool", ([a, b]) => binary(fn, a!, b!), f));
  it("knows comparisons", () => expect(isCompare("lt")).toBe(true));
});

describe("casts", () => {
  const convert = (from: DType, to: DType) => (x: number): number => {
    if (to === "bool") return x !== 0 ? 1 : 0;
    if (isFloat(from) && !isFloat(to)) {
      if (Number.isNaN(x)) return 0;
      return Math.min(to === "int32" ? 2147483647 : 4294967295, Math.max(to === "int32" ? -2147483648 : 0, Math.trunc(x)));
    }
    return x;
  };
  for (const from of allDTypes)
    for (const to of allDTypes) it(`${from} to ${to}`, () => check("cast", [typed(from, [...special[from], ...special[from]])], to, ([x]) => cast(to, x!), convert(from, to)));
  const bits = new DataView(new ArrayBuffer(4));
  it("to integers have no -0", () => {
    const x = typed("float64", [-0.3, -0, -0.9, 0.3, -0.5]);
    for (const to of ["int32", "uint32"] as const) {
      const value = binary("div", constant("float32", 0.5), cast("float32", cast(to, whole("float64", 0, [5]))));
      const s = schedule([x], [{ dtype: "float32", size: 5 }], [kernelStep(mapKernel([5], [{ buffer: 1, value }]))]);
      expect([...expectSame(s, [x])[0]!]).toEqual([Infinity, Infinity, Infinity, Infinity, Infinity]);
    }
  });
  it("bitcasts", () => {
    const toBits = (x: number): number => (bits.setFloat32(0, x), bits.getUint32(0));
    const fromBits = (x: number): number => (bits.setUint32(0, x), bits.getFloat32(0));
    check("bitcast", [typed("float32", [1, -0, 0.1, 1e30, -Infinity])], "uint32", ([x]) => bitcast("uint32", x!), toBits);
    check("bitcast", [typed("uint32", [0x3f800000, 1, 0x80000000, 0x7f800000, 77])], "float32", ([x]) => bitcast("float32", x!), fromBits);
    check("bitcast", [typed("int32", [-1, 1, 5, -7, 9])], "uint32", ([x]) => bitcast("uint32", x!), (x) => x);
  });
});

describe("select", () => {
  for (const dtype of allDTypes)
    for (const by of allDTypes)
      it(`${dtype} by a comparison of ${by}`, () => {
        const [a, b] = [randomArray(dtype, 37, 3), randomArray(dtype, 37, 4)];
        const [p, q] = [randomArray(by, 37, 5), randomArray(by, 37, 6)];
        check("select", [a, b, p, q], dtype, ([x, y, u, v]) => select(binary("lt", u!, v!), x!, y!), (x, y, u, v) => (u! < v! ? x! : y!));
      });
});

describe("memory access", () => {
  it("transposes, broadcasts, reverses, and strides, for all dtypes", () => {
    for (const dtype of allDTypes) {
      const [m, n] = [7, 9];
      const x = randomArray(dtype, m * n);
      const row = randomArray(dtype, n, 2);
      const at = (e: Expr, dims: number[]) => schedule([x, row], [{ dtype, size: dims.reduce((p, q) => p * q, 1) }], [kernelStep(mapKernel(dims, [{ buffer: 2, value: e }]))]);
      const cases: [Expr, number[]][] = [
        [load(dtype, 0, affine([1, n])), [n, m]],
        [load(dtype, 1, affine([0, 1])), [m, n]],
        [load(dtype, 0, affine([n, -1], n - 1)), [m, n]],
        [load(dtype, 0, affine([2 * n, 3])), [4, 3]],
        [load(dtype, 0, affine([-n, -1], m * n - 1)), [m, n]],
        [load(dtype, 0, affine([], 5)), []],
        [select(binary("lt", whole(dtype, 0, [m, n]), load(dtype, 1, affine([0, 1]))), load(dtype, 0, affine([n, -1], n - 1)), load(dtype, 0, affine([0, 0], 3))), [m, n]],
      ];
      for (const [e, dims] of cases) expectSame(at(e, dims), [x, row], 0, () => `${dtype} ${JSON.stringify(e)}`);
    }
  });
  it("indices, as int32 and mixed with every dtype", () => {
    for (const dtype of allDTypes) {
      const x = randomArray(dtype, 55);
      const value = select(binary("gt", cast(dtype, index(affine([11, -2], 5))), whole(dtype, 0, [5, 11])), cast(dtype, index(affine([1, 1]))), whole(dtype, 0, [5, 11]));
      expectSame(schedule([x], [{ dtype, size: 55 }], [kernelStep(mapKernel([5, 11], [{ buffer: 1, value }]))]), [x]);
    }
  });
  it("gathers", () => {
    for (const dtype of allDTypes) {
      const table = randomArray(dtype, 100);
      const at = new Int32Array(randomArray("uint32", 41, 9)).map((i) => i % 100);
      const value = gather(dtype, 0, whole("int32", 1, [41]));
      expectSame(schedule([table, at], [{ dtype, size: 41 }], [kernelStep(mapKernel([41], [{ buffer: 2, value }]))]), [table, at]);
    }
  });
  it("reads and writes behind bases", () => {
    const x = randomArray("float64", 60);
    const at = Int32Array.of(3);
    const base = binary("mul", load("int32", 1, affine([])), constant("int32", 10));
    const k = mapKernel([5], [{ buffer: 2, value: unary("neg", load("float64", 0, affine([2], 1), base)) }]);
    const out = { ...k.outputs[0]!, base: binary("add", load("int32", 1, affine([])), constant("int32", 2)) };
    const fill = mapKernel([12], [{ buffer: 2, value: constant("float64", 9) }]);
    const s = schedule([x, at], [{ dtype: "float64", size: 12 }], [kernelStep(fill), kernelStep({ ...k, outputs: [out] })]);
    const [got] = expectSame(s, [x, at]);
    expect([...got!.slice(5, 10)]).toEqual([31, 33, 35, 37, 39].map((i) => -x[i]!));
    expect(got![4]).toBe(9);
  });
  it("broadcast bool against wide lanes", () => {
    const mask = randomArray("bool", 33);
    const x = randomArray("float64", 33);
    const value = select(unary("not", whole("bool", 0, [33])), whole("float64", 1, [33]), cast("float64", whole("bool", 0, [33])));
    expectSame(schedule([mask, x], [{ dtype: "float64", size: 33 }, { dtype: "bool", size: 33 }], [kernelStep(mapKernel([33], [{ buffer: 2, value }, { buffer: 3, value: binary("gt", value, constant("float64", 0)) }]))]), [mask, x]);
  });
});

describe("guards", () => {
  const n = 13;
  for (const dtype of allDTypes)
    it(`pads and concatenates ${dtype}`, () => {
      const x = randomArray(dtype, n);
      const y = randomArray(dtype, 4, 2);
      const padded = guard([{ index: affine([1]), lo: 3, hi: 3 + n, step: 1 }], load(dtype, 0, affine([1], -3)), constant(dtype, 1));
      const joined = guard([{ index: affine([1]), lo: 0, hi: 4, step: 1 }], load(dtype, 1, affine([1])), padded);
      expectSame(schedule([x, y], [{ dtype, size: 21 }], [kernelStep(mapKernel([21], [{ buffer: 2, value: joined }]))]), [x, y]);
    });
  it("dilates, reverses, and combines bounds over several dimensions", () => {
    const x = randomArray("float32", 6 * 5);
    const every = guard([{ index: affine([0, 1]), lo: 1, hi: 12, step: 3 }], constant("float32", 5), constant("float32", -5));
    const backwards = guard([{ index: affine([0, -1], 9), lo: 2, hi: 7, step: 1 }], constant("float32", 3), constant("float32", 4));
    const both = guard([{ index: affine([1, 0]), lo: 2, hi: 8, step: 1 }, { index: affine([0, 1]), lo: 4, hi: 9, step: 1 }], load("float32", 0, affine([5, 1], -14)), binary("mul", every, backwards));
    const diagonal = guard([{ index: affine([1, -1]), lo: -2, hi: 3, step: 1 }], both, constant("float32", 0.5));
    expectSame(schedule([x], [{ dtype: "float32", size: 130 }], [kernelStep(mapKernel([10, 13], [{ buffer: 1, value: diagonal }]))]), [x]);
  });
  it("never reads outside", () => {
    // With an offset far outside the memory, any such read would trap.
    const x = randomArray("float64", 10);
    const value = guard([{ index: affine([1, 1]), lo: 90, hi: 100, step: 1 }], load("float64", 0, affine([1, 1], -90)), constant("float64", 0));
    expectSame(schedule([x], [{ dtype: "float64", size: 50 * 90 }], [kernelStep(mapKernel([50, 90], [{ buffer: 1, value }]))]), [x]);
  });
  it("reaches what is in range beside what lies far below the memory", () => {
    const x = randomArray("float64", 40);
    const far = 3e6;
    // The two bounds never hold together, but neither shows it alone, so the load stays, behind the guard.
    const diagonal = mapKernel([2, 20], [{ buffer: 1, value: binary("add", load("float64", 0, affine([20, 1])), guard([{ index: affine([20, 1]), lo: 10, hi: 12, step: 1 }, { index: affine([1, 20]), lo: 1, hi: 2, step: 1 }], load("float64", 0, affine([20, 1], -far)), constant("float64", 7))) }]);
    expectSame(schedule([x], [{ dtype: "float64", size: 40 }], [kernelStep(diagonal)]), [x]);
  });
  it("gathered rows, whose elements lie side by side, of every dtype and width", () => {
    for (const dtype of ["float32", "float64", "int32", "bool"] as const)
      for (const n of [1, 3, 4, 5, 15, 16, 17, 37]) {
        const [rows, picked] = [6, 5];
        const x = randomArray(dtype, rows * n, n);
        const y = randomArray("float32", rows * n, n + 1);
        const at = Int32Array.of(3, 0, 5, 5, 2);
        const row = load("int32", 2, affine([1, 0]));
        // The address is shared by both, and the columns also run backwards.
        const place = binary("add", index(affine([0, 1])), binary("mul", row, constant("int32", n)));
        const back = binary("sub", binary("mul", row, constant("int32", n)), index(affine([0, 1], 1 - n)));
        const outputs = [
          { buffer: 3, value: gather(dtype, 0, place) },
          { buffer: 4, value: binary("add", gather("float32", 1, place), gather("float32", 1, back)) },
        ];
        expectSame(schedule([x, y, at], [{ dtype, size: picked * n }, { dtype: "float32", size: picked * n }], [kernelStep(mapKernel([picked, n], outputs))]), [x, y, at], 0, () => `${dtype} ${n}`);
      }
  });
});
