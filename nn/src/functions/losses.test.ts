import { grad, hessian, hvp } from "@hessia/autodiff";
import { DTypeError, type NDArray, np, ShapeError } from "@hessia/core";
import { describe, expect, it } from "vitest";
import golden from "../fixtures/functions.json" with { type: "json" };
import * as nn from "../index.js";

type Loss = (x: NDArray, ...rest: unknown[]) => NDArray;
const flat = (x: NDArray): number[] => Array.from(np.ravel(x).toArray() as number[]);
function close(got: NDArray, want: readonly number[], rtol: number, atol: number): void {
  const g = flat(got);
  expect(g.length).toBe(want.length);
  g.forEach((v, i) => expect(Math.abs(v - want[i]!), `element ${i}: got ${v}, want ${want[i]}`).toBeLessThanOrEqual(atol + rtol * Math.abs(want[i]!)));
}

describe("losses", () => {
  it.each(golden.losses.map((c) => [c.name, c] as const))("%s: value, gradient and Hessian-vector product of optax", (name, c) => {
    const loss = (nn as unknown as Record<string, Loss>)[name]!;
    const rest = (c.args as unknown[]).map((a) => (Array.isArray(a) && !name.endsWith("IntegerLabels") ? np.array(a as number[]) : a));
    const x = np.array(c.x as number[]);
    const f = (v: NDArray): NDArray => loss(v, ...rest).sum();
    close(loss(x, ...rest), c.value as number[], 1e-12, 1e-15);
    close(grad(f)(x), c.grad as number[], 1e-10, 1e-15);
    const v = np.reshape(np.arange(1, x.size + 1), x.shape).astype("float64");
    close(hvp(f, [x], [v])[1], c.hvp as number[], 1e-9, 1e-13);
  });

  it("has the Hessian diag(p) - p p^T of the unfused cross-entropy, for both kinds of labels", () => {
    const z = np.array([1, -2, 0.5]);
    const unfused = (a: NDArray): NDArray => np.negative(np.log(np.divide(np.exp(a), np.exp(a).sum())).get(2));
    const want = flat(hessian(unfused)(z));
    close(hessian((a: NDArray) => nn.softmaxCrossEntropy(a, [0, 0, 1]))(z), want, 1e-12, 1e-15);
    close(hessian((a: NDArray) => nn.softmaxCrossEntropyWithIntegerLabels(a, np.array(2, { dtype: "int32" })))(z), want, 1e-12, 1e-15);
  });

  it("is finite to second order at extreme logits", () => {
    const z = np.array([[1e4, -1e4, 0], [-1e300, 1e300, 5]]);
    const y = np.array([[0, 1, 0], [1, 0, 0]]);
    const s = np.array([1e4, -1e4, 800, -800, 0]);
    const t = np.array([0, 1, 1, 0, 0.5]);
    const cases: [(a: NDArray) => NDArray, NDArray][] = [
      [(a) => nn.softmaxCrossEntropy(a, y).sum(), z],
      [(a) => nn.softmaxCrossEntropyWithIntegerLabels(a, [1, 0]).sum(), z],
      [(a) => nn.sigmoidBinaryCrossEntropy(a, t).sum(), s],
      [(a) => nn.sigmoidFocalLoss(a, t).sum(), np.array([100, -100, 80, -80, 0])],
      [(a) => nn.logCosh(a).sum(), np.array([1e300, -1e4, 0, 1e-200])],
      [(a) => nn.huberLoss(a).sum(), np.array([1e300, -1e4, 0, 1, -1])],
    ];
    for (const [f, x] of cases)
      for (const g of [f(x), grad(f)(x), hvp(f, [x], [np.onesLike(x)])[1]]) expect(flat(g).every(Number.isFinite), String(flat(g))).toBe(true);
  });

  it("lets impossible classes be, when their label is 0", () => {
    expect(flat(nn.softmaxCrossEntropy([[-Infinity, 0, 0]], [[0, 1, 0]]))[0]).toBeCloseTo(Math.LN2, 14);
    const masked = nn.softmaxCrossEntropy(np.array([[9, 0, 0]]), np.array([[0, 1, 0]]), { where: np.array([[0, 1, 1]]).astype("bool") });
    expect(flat(masked)[0]).toBeCloseTo(Math.LN2, 14);
  });

  it("logCosh does not cancel near 0", () => expect(flat(nn.logCosh(np.array([1e-9])))[0]! / 5e-19).toBeCloseTo(1, 12));

  it("refuses shapes that would broadcast, and class numbers that are no integers", () => {
    expect(() => nn.squaredError(np.ones([3]), np.ones([3, 1]))).toThrow(ShapeError);
    expect(() => nn.softmaxCrossEntropyWithIntegerLabels(np.ones([2, 3]), np.array([0.5, 1]))).toThrow(DTypeError);
    expect(() => nn.softmaxCrossEntropyWithIntegerLabels(np.ones([2, 3]), [1])).toThrow(/labels.*\[2\]/);
  });
});
