import { expect, it } from "vitest";
import "../index.js";
import { jit, vmap } from "../index.js";
import type { NDArray } from "../array/ndarray.js";
import { allPrimitives } from "../ir/primitive.js";
import { primitiveFamilies } from "../primitives/index.js";
import { toBatch } from "../primitives/batch-axes.js";
import { bind } from "../trace/trace.js";
import { installCoreSamples } from "./core-samples.js";
import { drawInputs, samplesOf, seededRandom } from "./samples.js";

installCoreSamples();
const primitives = Object.values(primitiveFamilies).flatMap((f) => Object.values(f));

it("every primitive has samples", () => {
  for (const p of allPrimitives()) expect(samplesOf(p).length, p.name).toBeGreaterThan(0);
});

it.each(primitives.map((p) => [p.name, p] as const))("%s: jit and vmap agree with eager evaluation", (_name, p) => {
  for (const sample of samplesOf(p)) {
    const xs = drawInputs(sample, seededRandom(7));
    const eager = bind(p, xs, sample.params);
    eager.forEach((y, i) => expect(y.shape).toEqual(p.abstractEval(xs.map((x) => x.aval), sample.params)[i]!.shape));
    const compiled = jit((...a: NDArray[]) => bind(p, a, sample.params))(...xs);
    expect(compiled.map((y) => y.toArray())).toEqual(eager.map((y) => y.toArray()));
    if (xs.length === 0) continue;
    const batch = [0, 1].map((k) => drawInputs(sample, seededRandom(100 + k)));
    const loop = batch.map((b) => bind(p, b, sample.params).map((y) => y.toArray()));
    const stacked = xs.map((_, i) => {
      const rows = batch.map((b) => toBatch(1, b[i]!, null));
      return bind(primitiveFamilies.structural.concatenate, rows, { axis: 0 })[0]!;
    });
    const together = vmap((...a: NDArray[]) => bind(p, a, sample.params))(...stacked);
    together.forEach((y, i) => expect((y.toArray() as unknown[])).toEqual(loop.map((l) => l[i])));
  }
});
