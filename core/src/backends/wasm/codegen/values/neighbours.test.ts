import { expect, it } from "vitest";
import { accumulator, binary, constant, gather, index, load } from "../../../../kernel/expr.js";
import type { Kernel } from "../../../../kernel/schedule.js";
import { backends, kernelStep, randomArray, runOn, schedule } from "../../test-support.js";

it("sums gathered neighbours, many vectors side by side: each has an address of its own", () => {
  const terms = 5;
  for (const n of [1, 2, 3, 15, 16, 17, 31, 33, 40, 67]) {
    const table = randomArray("float64", terms * n);
    const rows = Int32Array.from([3, 0, 4, 4, 1]);
    const row = load("int32", 1, { offset: 0, strides: [0, 1] });
    const at = binary("add", index({ offset: 0, strides: [1, 0] }), binary("mul", row, constant("int32", n)));
    const x = gather("float64", 0, at);
    const kernel: Kernel = {
      dims: [n], reduceDims: [terms],
      accumulators: [{ op: "add", dtype: "float64", value: binary("mul", x, binary("add", x, x)) }],
      outputs: [{ buffer: 2, index: { offset: 0, strides: [1] }, value: accumulator("float64", 0) }],
    };
    const s = schedule([table, rows], [{ dtype: "float64", size: n }], [kernelStep(kernel)]);
    const expected = Float64Array.from({ length: n }, (_, i) => rows.reduce((sum, r) => sum + table[r * n + i]! * (2 * table[r * n + i]!), 0));
    for (const [name, backend] of Object.entries(backends)) {
      const got = runOn(backend, s, [table, rows])[0]!;
      got.forEach((v, i) => expect(v, `${name}, n = ${n}, element ${i}`).toBeCloseTo(expected[i]!, 12));
    }
  }
});
