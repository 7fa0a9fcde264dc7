import { describe, it } from "vitest";
import type { FloatDType } from "../functions/contract.js";
import { dynamicGemm } from "./dynamic.js";
import { checkGemm, compile, variants } from "./test-support.js";

const dtypes: readonly FloatDType[] = ["float32", "float64"];

/** Both orders of each operand, tight. */
const layouts = (m: number, n: number, k: number) =>
  [false, true].flatMap((ta) => [false, true].map((tb) => ({
    a: ta ? { row: 1, k: m } : { row: k, k: 1 },
    b: tb ? { k: 1, column: k } : { k: n, column: 1 },
    c: { row: n },
  })));

describe("static products", () => {
  it("small shapes, zeros and ones included", () => {
    for (const variant of variants) for (const dtype of dtypes)
      for (const m of [0, 1, 2, 3, 5, 7]) for (const n of [0, 1, 2, 3, 4, 7]) for (const k of [0, 1, 2, 3, 8])
        for (const layout of layouts(m, n, k)) for (const accumulate of [false, true]) checkGemm(variant, { dtype, m, n, k, ...layout, accumulate });
  });
  it("around the block sizes", () => {
    for (const variant of variants) for (const dtype of dtypes)
      for (const [m, n, k] of [[16, 16, 16], [17, 13, 31], [4, 12, 256], [5, 11, 257], [3, 25, 512], [33, 37, 29], [64, 1, 64], [1, 64, 64], [1, 1, 300], [129, 24, 7], [97, 50, 300], [7, 100, 33], [20, 23, 64], [18, 200, 40], [2, 70, 65], [70, 2, 65], [70, 3, 130], [64, 64, 64], [12, 490, 5]] as const)
        for (const layout of layouts(m, n, k)) checkGemm(variant, { dtype, m, n, k, ...layout, accumulate: m % 2 === 1 });
  });
  it("strides larger than the rows leave the gaps alone", () => {
    for (const variant of variants) for (const dtype of dtypes)
      for (const [m, n, k] of [[3, 3, 3], [5, 9, 4], [13, 17, 40], [66, 35, 20], [1, 33, 9], [33, 1, 9], [40, 3, 30]] as const)
        for (const accumulate of [false, true]) {
          checkGemm(variant, { dtype, m, n, k, a: { row: k + 3, k: 1 }, b: { k: n + 5, column: 1 }, c: { row: n + 7 }, accumulate });
          checkGemm(variant, { dtype, m, n, k, a: { row: 1, k: m + 1 }, b: { k: 1, column: k + 2 }, c: { row: n + 1 }, accumulate });
          checkGemm(variant, { dtype, m, n, k, a: { row: 2 * k, k: 2 }, b: { k: 3 * n, column: 3 }, c: { row: n + 1 }, accumulate });
        }
  });
});

describe("dynamic products", () => {
  it("one function for all sizes, strides and modes", () => {
    for (const variant of variants) for (const dtype of dtypes) {
      const runner = compile(variant, (context) => dynamicGemm(context, dtype));
      for (const [m, n, k] of [[0, 3, 2], [3, 0, 2], [1, 1, 0], [3, 5, 0], [1, 1, 1], [2, 3, 1], [6, 8, 4], [7, 9, 5], [12, 16, 257], [97, 15, 32], [33, 481, 3], [1, 40, 40], [40, 1, 40], [64, 64, 64]] as const)
        for (const mode of [0, 1, 2]) {
          for (const layout of layouts(m, n, k)) checkGemm(variant, { dtype, m, n, k, ...layout, accumulate: mode === 1 }, { dynamic: true, mode, runner });
          checkGemm(variant, { dtype, m, n, k, a: { row: 2 * k + 1, k: 2 }, b: { k: 3 * n, column: 3 }, c: { row: n + 3 }, accumulate: mode === 1 }, { dynamic: true, mode, runner });
        }
    }
  });
});
