import { describe, it } from "vitest";
import type { FloatDType } from "../functions/contract.js";
import { dynamicGemm } from "./dynamic.js";
import type { GemmSpec } from "./spec.js";
import { checkAll, checkGemm, checkPrepacked, compile, variants } from "./test-support.js";

const dtypes: readonly FloatDType[] = ["float32", "float64"];

/** Both orders of each operand, tight. */
const layouts = (m: number, n: number, k: number) =>
  [false, true].flatMap((ta) => [false, true].map((tb) => ({
    a: ta ? { row: 1, k: m } : { row: k, k: 1 },
    b: tb ? { k: 1, column: k } : { k: n, column: 1 },
    c: { row: n },
  })));

/** Runs the specs that `each` gives out, for all variants and dtypes. */
function all(each: (give: (spec: Omit<GemmSpec, "dtype">) => void) => void): void {
  for (const variant of variants) for (const dtype of dtypes) {
    const specs: GemmSpec[] = [];
    each((spec) => specs.push({ dtype, ...spec }));
    checkAll(variant, specs);
  }
}

describe("static products", () => {
  it("small shapes, zeros and ones included", () => {
    all((give) => {
      for (const m of [0, 1, 2, 3, 5, 8]) for (const n of [0, 1, 2, 3, 4, 7]) for (const k of [0, 1, 2, 3, 8])
        for (const layout of layouts(m, n, k)) for (const accumulate of [false, true]) give({ m, n, k, ...layout, accumulate });
    });
  });
  it("around the block sizes", () => {
    all((give) => {
      for (const [m, n, k] of [[16, 16, 16], [17, 13, 31], [4, 12, 256], [5, 11, 257], [3, 25, 512], [33, 37, 29], [64, 1, 64], [1, 64, 64], [1, 1, 300], [129, 24, 7], [195, 18, 9], [383, 9, 3], [6, 17, 385], [5, 20, 769], [40, 1030, 6], [97, 50, 300], [7, 100, 33], [20, 23, 64], [18, 200, 40], [2, 70, 65], [70, 2, 65], [70, 3, 130], [64, 64, 64], [12, 490, 5], [130, 140, 50]] as const)
        for (const layout of layouts(m, n, k)) give({ m, n, k, ...layout, accumulate: m % 2 === 1 });
    });
  });
  it("around the sizes up to which operands are read where they lie", () => {
    all((give) => {
      for (const [m, n, k] of [[30, 128, 128], [30, 128, 129], [30, 129, 127], [30, 256, 128], [30, 257, 127], [20, 64, 48], [20, 64, 49], [20, 65, 47], [20, 128, 48], [20, 129, 47], [16, 70, 64], [16, 70, 65]] as const)
        for (const layout of layouts(m, n, k)) give({ m, n, k, ...layout, accumulate: k % 2 === 1 });
      for (const k of [2048, 2049]) for (const m of [32, 64]) give({ m, n: 66, k, a: { row: k, k: 1 }, b: { k: 66, column: 1 }, c: { row: 66 }, accumulate: false });
    });
  });
  it("matrix times vector, both ways: around the sums in flight, the turns of loops and the blocks of columns", () => {
    all((give) => {
      for (const rows of [1, 2, 3, 5, 6, 7, 8, 9, 15, 16, 17, 33]) for (const k of [1, 2, 3, 7, 8, 9, 31, 33, 64])
        for (const accumulate of [false, true]) for (const { a, b, c } of layouts(rows, 1, k)) {
          give({ m: rows, n: 1, k, a, b, c, accumulate });
          give({ m: 1, n: rows, k, a: { row: b.column, k: b.k }, b: { k: a.k, column: a.row }, c: { row: rows }, accumulate });
          give({ m: rows, n: 1, k, a, b: { k: 3, column: 1 }, c: { row: 2 }, accumulate });
        }
      for (const rows of [1023, 1024, 1025, 2048, 2051]) give({ m: 1, n: rows, k: 9, a: { row: 9, k: 1 }, b: { k: rows, column: 1 }, c: { row: rows }, accumulate: false });
      give({ m: 1050, n: 1, k: 2003, a: { row: 2003, k: 1 }, b: { k: 1, column: 1 }, c: { row: 1 }, accumulate: false });
    });
  });
  it("outer products", () => {
    all((give) => {
      for (const m of [2, 5, 65]) for (const n of [30, 32, 33, 35, 67]) for (const accumulate of [false, true])
        give({ m, n, k: 1, a: { row: 1, k: m }, b: { k: n, column: 1 }, c: { row: n + 2 }, accumulate });
    });
  });
  it("strides larger than the rows leave the gaps alone", () => {
    all((give) => {
      for (const [m, n, k] of [[3, 3, 3], [5, 9, 4], [13, 17, 40], [66, 35, 20], [1, 33, 9], [33, 1, 9], [40, 3, 30]] as const)
        for (const accumulate of [false, true]) {
          give({ m, n, k, a: { row: k + 3, k: 1 }, b: { k: n + 5, column: 1 }, c: { row: n + 7 }, accumulate });
          give({ m, n, k, a: { row: 1, k: m + 1 }, b: { k: 1, column: k + 2 }, c: { row: n + 1 }, accumulate });
          give({ m, n, k, a: { row: 2 * k, k: 2 }, b: { k: 3 * n, column: 3 }, c: { row: n + 1 }, accumulate });
        }
    });
  });
});

describe("products with a prepacked operand", () => {
  it.each(["a", "b"] as const)("side %s, around the block sizes", (side) => {
    for (const variant of variants) for (const dtype of dtypes) {
      const specs = ([[1, 1, 1], [2, 3, 1], [1, 9, 5], [9, 1, 5], [5, 7, 3], [16, 16, 16], [17, 13, 31], [5, 33, 257], [3, 25, 512], [195, 18, 9], [383, 9, 3], [6, 17, 385], [5, 20, 769], [3, 1030, 6], [5, 1025, 390], [2, 2049, 7], [97, 50, 300], [200, 9, 400], [16, 128, 64]] as const)
        .flatMap(([m, n, k]) => layouts(m, n, k).map((layout): GemmSpec => ({ dtype, m, n, k, ...layout, c: { row: n + (m % 3) }, accumulate: m % 2 === 1 })));
      checkPrepacked(variant, specs, side);
    }
  });
});

describe("dynamic products", () => {
  it("one function for all sizes, strides and modes", () => {
    for (const variant of variants) for (const dtype of dtypes) {
      const runner = compile(variant, (context) => dynamicGemm(context, dtype));
      for (const [m, n, k] of [[0, 3, 2], [3, 0, 2], [1, 1, 0], [3, 5, 0], [1, 1, 1], [2, 3, 1], [6, 8, 4], [7, 9, 5], [12, 16, 257], [97, 15, 32], [33, 513, 3], [193, 20, 9], [13, 21, 385], [1, 40, 40], [40, 1, 40], [64, 64, 64]] as const)
        for (const mode of [0, 1, 2]) {
          for (const layout of layouts(m, n, k)) checkGemm(variant, { dtype, m, n, k, ...layout, accumulate: mode === 1 }, { dynamic: true, mode, runner });
          checkGemm(variant, { dtype, m, n, k, a: { row: 2 * k + 1, k: 2 }, b: { k: 3 * n, column: 3 }, c: { row: n + 3 }, accumulate: mode === 1 }, { dynamic: true, mode, runner });
        }
    }
  });
});
