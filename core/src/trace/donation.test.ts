import { describe, expect, it } from "vitest";
import { ConcreteArray } from "../array/concrete.js";
import { WasmBackend } from "../backends/wasm/index.js";
import { compileProgram } from "../execute/compile.js";
import { makeProgram, np, type NDArray } from "../index.js";
import { aval } from "../ir/aval.js";
import { runCompiled } from "./eager.js";

const n = 100_000;
const vector = aval([n], "float64");
const filled = (v: number) => new Float64Array(n).fill(v);

describe("arrays donated to a call that fails", () => {
  it("are as they were if nothing was written", () => {
    const backend = new WasmBackend({ maximumPages: 40 });
    const doubled = makeProgram((x: NDArray, y: NDArray) => [x.mul(2), np.concatenate([y, y, y])])(np.ones([n]), np.ones([n]));
    const compiled = compileProgram(doubled, backend, [0]);
    const [x, y] = [2, 3].map((v) => ConcreteArray.fromStorage(backend.write("float64", filled(v)), vector, backend));
    const call = () => runCompiled(compiled, [x!, y!], [0]);
    expect(call).toThrow(/cannot grow/);
    expect(call).not.toThrow(/donated/);
    expect(x!.isDisposed).toBe(false);
    expect(x!.data[n - 1]).toBe(2);
  });

  it("are gone if it had begun, which the error says", () => {
    const backend = new WasmBackend({ threads: 2, minimumWork: 0, pieceLimit: 2000, patience: 0, startLimit: 60_000 });
    const f = (x: NDArray, y: NDArray, z: NDArray, w: NDArray) => [x.add(1), np.sum(y.mul(z)), w.sub(1)];
    const compiled = compileProgram(makeProgram(f)(np.ones([n]), np.ones([n]), np.ones([2, 1]), np.ones([n])), backend, [0, 2, 3]);
    const [x, y] = [2, 3].map((v) => ConcreteArray.fromStorage(backend.write("float64", filled(v)), vector, backend));
    const z = ConcreteArray.fromStorage(backend.write("float64", Float64Array.of(5, 6)), aval([2, 1], "float64"), backend);
    // Elements that are in JavaScript too are not lost.
    const w = ConcreteArray.fromHost(filled(7), vector, backend);
    const storage = x!.storage;
    backend.threads.acquire().lose(1);
    expect(() => runCompiled(compiled, [x!, y!, z, w], [0, 2, 3])).toThrow(/within 2000 ms.*The call had begun: the arrays donated to it \(float64\[100000\]\) are overwritten in part and gone\.$/);
    expect(() => backend.readSync(storage)).toThrow(/donated/);
    expect(x!.isDisposed).toBe(true);
    expect(() => x!.data).toThrow(/an? float64\[100000\] array that was donated to a call that failed/);
    expect([y!.data[n - 1], z.toArray(), w.data[n - 1]]).toEqual([3, [[5], [6]], 7]);
    expect(runCompiled(compiled, [ConcreteArray.fromHost(filled(1), vector, backend), y!, z, w], [0, 2, 3])[2]!.data[n - 1]).toBe(6);
    expect([z.isDisposed, w.isDisposed]).toEqual([true, true]);
  });
});
