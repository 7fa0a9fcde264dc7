import { describe, expect, it } from "vitest";
import { samplePositions } from "../harness/data.js";
import { definite, eigenDigest } from "./linear-algebra.js";
import { gradient } from "./rosenbrock.js";
import { tasks } from "./index.js";

describe("references of the tasks", () => {
  it("every case of every task has a name of its own", () => {
    for (const task of tasks) expect(new Set(task.cases.map((c) => c.name)).size, task.name).toBe(task.cases.length);
  });
  it("small cases have finite expected values", () => {
    for (const task of tasks.filter((t) => ["rosenbrock", "dispatch", "descent"].includes(t.name)))
      for (const c of task.cases) expect(c.expected().values.every(Number.isFinite), `${task.name} ${c.name}`).toBe(true);
  });
  it("samples lie evenly, first and last among them", () => {
    expect(samplePositions(3)).toEqual([0, 1, 2]);
    expect([samplePositions(1000)[0], samplePositions(1000).at(-1)]).toEqual([0, 999]);
  });
  it("the gradient of Rosenbrock vanishes at its minimum and agrees with differences elsewhere", () => {
    expect(Array.from(gradient([1, 1, 1]), Math.abs)).toEqual([0, 0, 0]);
    const f = ([x, y]: number[]) => 100 * (y! - x! * x!) ** 2 + (1 - x!) ** 2;
    expect(gradient([0.3, 0.6])[0]).toBeCloseTo((f([0.3 + 1e-6, 0.6]) - f([0.3 - 1e-6, 0.6])) / 2e-6, 4);
  });
  it("eigenDigest tells right eigenvectors from wrong ones", () => {
    const s = new Float64Array([2, 1, 1, 2]);
    const h = Math.SQRT1_2;
    expect(eigenDigest(s, 2, [1, 3], [h, h, -h, h])[3]).toBeLessThan(1e-15);
    expect(eigenDigest(s, 2, [1, 3], [1, 0, 0, 1])[3]).toBeGreaterThan(0.5);
    expect(definite(3)[1]).toBe(definite(3)[3]);
  });
});
