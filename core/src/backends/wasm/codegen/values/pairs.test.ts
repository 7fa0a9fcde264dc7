import { describe, expect, it } from "vitest";
import { binary, constant, guard, unary } from "../../../../kernel/expr.js";
import type { Expr } from "../../../../kernel/expr.js";
import { unaryFunctions } from "../../../../kernel/functions/index.js";
import { arguments32, edgesOf, errorInUlps32 } from "../../functions/fixtures/sweep.js";
import { WasmBackend } from "../../index.js";
import { affine, kernelStep, mapKernel, runOn, schedule, whole } from "../../test-support.js";

const { logistic } = unaryFunctions;
const backends = { "SIMD": new WasmBackend({ relaxed: false }), "what the engine has": new WasmBackend(), "no SIMD": new WasmBackend({ simd: false }) };
const x = (n: number): Expr => whole("float32", 0, [n]);
const of = (e: Expr): Expr => unary("logistic", e);
const ofNegative = (e: Expr): Expr => unary("logistic", unary("neg", e));
const close = (got: number, v: number, what: string): void => {
  if (!(errorInUlps32(got, logistic(v)) <= 2) && !(Number.isNaN(v) && Number.isNaN(got))) expect.fail(`${what}: logistic(${v}) = ${got}`);
};

describe.each(Object.entries(backends))("logistic of x and of -x in one kernel, %s", (_, backend) => {
  it("within 2 ulp over all exponents, at infinities, NaN and zeros", () => {
    for (const values of [...arguments32("logistic", 1 << 12).map(([a]) => Float32Array.from(a!)), Float32Array.from(edgesOf(1, "float32").map((c) => c[0]!))]) {
      const n = values.length;
      const s = schedule([values], [{ dtype: "float32", size: n }, { dtype: "float32", size: n }], [kernelStep(mapKernel([n], [{ buffer: 1, value: of(x(n)) }, { buffer: 2, value: ofNegative(x(n)) }]))]);
      const [a, b] = runOn(backend, s, [values]);
      values.forEach((v, i) => {
        close(a![i]!, v, "of");
        close(b![i]!, -v, "of negative");
      });
    }
  });

  it("gives an element the same bits wherever it stands, at every length around vectors and pairs of them", () => {
    const values = Float32Array.from({ length: 67 }, (_, i) => Math.sin(i) * 9);
    const run = (from: number, n: number, inPlace: boolean): Float32Array[] => {
      const cut = values.slice(from, from + n);
      const slope = binary("mul", of(x(n)), ofNegative(x(n)));
      const read = inPlace ? [kernelStep(mapKernel([n], [{ buffer: 1, value: x(n) }])), kernelStep(mapKernel([n], [1, 2].map((buffer) => {
        const y = whole("float32", 1, [n]);
        return { buffer, value: buffer === 1 ? binary("mul", of(y), ofNegative(y)) : ofNegative(y) };
      })))] : [kernelStep(mapKernel([n], [{ buffer: 1, value: slope }, { buffer: 2, value: ofNegative(x(n)) }]))];
      return runOn(backend, schedule([cut], [{ dtype: "float32", size: n }, { dtype: "float32", size: n }], read), [cut]) as Float32Array[];
    };
    const all = run(0, values.length, false);
    for (const n of [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 31, 32, 33])
      for (const inPlace of [false, true])
        run(3, n, inPlace).forEach((got, k) => { expect(got, `${n}, ${inPlace}`).toEqual(all[k]!.slice(3, 3 + n)); });
  });

  it("one of them within a guard, or both", () => {
    for (const n of [5, 16, 37]) {
      const values = Float32Array.from({ length: n }, (_, i) => Math.cos(i) * 7);
      const inner = (value: Expr): Expr => guard([{ index: affine([1]), lo: 2, hi: n - 1, step: 1 }], value, constant("float32", -1));
      const outputs = [inner(ofNegative(x(n))), of(x(n)), inner(binary("mul", of(x(n)), ofNegative(x(n))))];
      const got = runOn(backend, schedule([values], outputs.map(() => ({ dtype: "float32", size: n })), [kernelStep(mapKernel([n], outputs.map((value, i) => ({ buffer: i + 1, value }))))]), [values]);
      values.forEach((v, i) => {
        const within = i >= 2 && i < n - 1;
        close(got[1]![i]!, v, "outside");
        if (within) close(got[0]![i]!, -v, "inside");
        else expect([got[0]![i], got[2]![i]]).toEqual([-1, -1]);
        if (within) expect(Math.abs(got[2]![i]! / (logistic(v) * logistic(-v)) - 1)).toBeLessThan(4 * 2 ** -23);
      });
    }
  });
});
