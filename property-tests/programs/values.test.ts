import { jit, type NDArray, np, vmap, withDevice } from "@hessia/core";
import { ConcreteArray, evaluateProgram, getBackend } from "@hessia/core/extend";
import { passLaw, requireNear, textLaw } from "@hessia/core/testing";
import fc from "fast-check";
import { afterAll, describe, it } from "vitest";
import { everyday } from "../everyday.js";
import { productions } from "./productions.js";
import { randomProgram, type RandomProgram } from "./random-program.js";

everyday(80);
const used = new Map<string, number>();
let programs = 0;
const onDevice = (xs: readonly NDArray[], device: string): ConcreteArray[] => xs.map((x) => ConcreteArray.fromHost(x.data.slice(), x.aval, getBackend(device)));

/** Eager, compiled, optimized, printed and batched: one meaning. */
function agree(p: RandomProgram): void {
  programs++;
  for (const name of p.used) used.set(name, (used.get(name) ?? 0) + 1);
  const near = { ofScale: p.tolerance };
  const expected = withDevice("reference", () => evaluateProgram(p.program, p.inputs));
  const inputs = onDevice(p.inputs, "wasm");
  const run = (...xs: NDArray[]) => evaluateProgram(p.program, xs);
  const same = (got: readonly NDArray[], what: string) => got.forEach((y, i) => requireNear(y, expected[i]!, near, `result ${i} ${what}`));
  same(run(...inputs), "computed eagerly");
  same(jit(run)(...inputs), "under jit");
  same(jit(run)(...p.inputs), "under jit on the reference");
  textLaw(p.program, inputs, "text");
  passLaw(p.program, inputs, "passes", near);
  const others = onDevice(p.twins, "wasm");
  const loop = [inputs, others, inputs].map((xs) => run(...xs));
  const stacked = inputs.map((x, i) => np.stack([x, others[i]!, x]));
  vmap(run)(...stacked).forEach((y, i) => requireNear(y, np.stack(loop.map((ys) => ys[i]!)), near, `result ${i} under vmap`));
  // One input mapped, at its last axis, the others shared.
  const axes = inputs.map((x, i) => (i === 0 ? x.ndim : null));
  const shared = [inputs[0]!, others[0]!].map((x) => run(x, ...inputs.slice(1)));
  vmap(run, { inAxes: axes })(np.stack([inputs[0]!, others[0]!], -1), ...inputs.slice(1)).forEach((y, i) => requireNear(y, np.stack(shared.map((ys) => ys[i]!)), near, `result ${i} under vmap of the first input`));
  same(jit(vmap(run))(...stacked).map((y) => y.get(2)), "under jit of vmap");
}

describe("random programs", () => {
  it("of float64 and integers mean one thing", () => fc.assert(fc.property(randomProgram(), agree)));
  it("of float32 and others mean one thing", () => fc.assert(fc.property(randomProgram({ float32: true }), agree)));
  afterAll(() => {
    const never = [...productions.keys()].filter((name) => !used.has(name));
    console.log(`random programs: ${programs} programs, ${used.size} primitives in them${never.length ? `; not drawn this time: ${never.join(", ")}` : ""}`);
  });
});
