import { expect, it } from "vitest";
import { explain, foriLoop, jit, type NDArray, np } from "../index.js";

it("explain shows sizes, times and steps", () => {
  const f = jit((x: NDArray, w: NDArray) => foriLoop(0, 3, (_, s) => np.tanh(s).mul(2), np.matmul(w, x)).sum());
  const e = explain(f, np.ones([50]), np.ones([70, 50]));
  expect(e.codeBytes).toBeGreaterThan(0);
  for (const ms of Object.values(e.milliseconds)) expect(ms).toBeGreaterThanOrEqual(0);
  const { optimize, lower, codegen, engine } = e.milliseconds;
  expect(e.compileMilliseconds).toBeCloseTo(optimize + lower + codegen + engine, 9);
  expect(e.steps).toContain("for 3 turns");
  expect(e.steps).toContain("  kernel [70]: reads 1 array, writes 1, 140 operations");
  expect(e.steps.at(-1)).toBe("kernel [] reducing [70]: reads 1 array, writes 1, 70 operations");
  expect(String(e)).toMatch(/^\d+ equations, \d+ kernels, \d+ routines\narena \d+ bytes, code \d+ bytes\ntrace [\d.]+ ms, optimize [\d.]+ ms, lower [\d.]+ ms, codegen [\d.]+ ms, engine [\d.]+ ms\n/);
});

it("a small network compiles at once, whatever else the machine does", () => {
  const layers = [784, 256, 128, 10];
  const step = jit((ws: NDArray[], x: NDArray, y: NDArray) => {
    let h = x;
    ws.forEach((w, k) => { h = np.matmul(h, w); if (k < ws.length - 1) h = np.maximum(h, 0); });
    return np.mean(np.square(h.sub(y)));
  });
  const ws = layers.slice(1).map((n, k) => np.ones([layers[k]!, n], { dtype: "float32" }));
  expect(explain(step, ws, np.ones([128, 784], { dtype: "float32" }), np.ones([128, 10], { dtype: "float32" })).compileMilliseconds).toBeLessThan(1000);
});

it("code grows with the Program, not faster", () => {
  const bytes = (n: number): number => explain(jit((x: NDArray) => { let y = x; for (let i = 0; i < n; i++) y = np.sin(y); return y; }), np.ones([100])).codeBytes;
  expect(bytes(400)).toBeLessThan(250_000);
  expect(bytes(800)).toBeLessThan(2.5 * bytes(400));
});
