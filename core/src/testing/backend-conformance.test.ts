import { expect, it } from "vitest";
import "../index.js";
import { getBackend } from "../backends/registry.js";
import { isFloat } from "../base/dtype.js";
import { primitiveFamilies } from "../primitives/index.js";
import { bind } from "../trace/trace.js";
import { installCoreSamples } from "./core-samples.js";
import { drawInputs, samplesOf, seededRandom } from "./samples.js";

installCoreSamples();
const primitives = Object.values(primitiveFamilies).flatMap((f) => Object.values(f));

it.each(primitives.map((p) => [p.name, p] as const))("%s: wasm agrees with the reference", (_name, p) => {
  for (const sample of samplesOf(p))
    for (const seed of [1, 2, 3]) {
      const [ref, wasm] = ["reference", "wasm"].map((d) => bind(p, drawInputs(sample, seededRandom(seed), getBackend(d)), sample.params));
      ref!.forEach((y, i) => {
        const z = wasm![i]!;
        expect(z.shape).toEqual(y.shape);
        const scale = Math.max(1e-300, ...Array.from(y.data, Math.abs).filter(Number.isFinite));
        y.data.forEach((v, k) => {
          const w = z.data[k]!;
          if (!isFloat(y.dtype) || !Number.isFinite(v)) expect(w, `element ${k}`).toBe(v);
          else expect(Math.abs(w - v), `element ${k}: ${w} for ${v}`).toBeLessThanOrEqual((y.dtype === "float64" ? 4e-15 : 2e-6) * scale);
        });
      });
    }
});
