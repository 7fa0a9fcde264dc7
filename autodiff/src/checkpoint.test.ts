import { describe, expect, it } from "vitest";
import { explain, jit, type NDArray, np } from "@hessia/core";
import { printSchedule } from "@hessia/core/extend";
import { checkpoint } from "./checkpoint.js";
import { grad } from "./grad.js";

const x = np.linspace(-1, 1, 1000);
const layer = (v: NDArray): NDArray => np.sin(np.exp(v).mul(v));
const loss = (f: (v: NDArray) => NDArray) => (v: NDArray): NDArray => np.sum(np.square(f(f(f(v)))));

describe("checkpoint under jit", () => {
  it("computes again what it does not keep, unless asked not to", () => {
    // A product keeps the layers apart: what meets in one kernel is computed once there, and takes no memory.
    const m = np.sin(np.arange(400)).reshape([20, 20]);
    const mixing = (v: NDArray): NDArray => np.matmul(m, np.sin(np.exp(v).mul(v)));
    const start = np.linspace(-1, 1, 20);
    const count = (f: (v: NDArray) => NDArray): number => printSchedule(explain(jit(grad(loss(f))), start).schedule).split("exp(").length - 1;
    const plain = count(mixing);
    expect(count(checkpoint(mixing))).toBeGreaterThan(plain);
    expect(count(checkpoint(mixing, { preventCse: false }))).toBe(plain);
  });

  it("keeps less memory", () => {
    const deep = (f: (v: NDArray) => NDArray) => jit(grad((v: NDArray) => {
      let y = v;
      for (let k = 0; k < 8; k++) y = f(y);
      return np.sum(y);
    }));
    const block = (v: NDArray): NDArray => layer(layer(layer(layer(v))));
    const arena = (f: (v: NDArray) => NDArray): number => explain(deep(f), x).arenaBytes;
    expect(arena(checkpoint(block))).toBeLessThan(0.5 * arena(block));
    expect([...deep(checkpoint(block))(x).data]).toEqual([...deep(block)(x).data]);
  });
});
