import "@hessia/linalg";
import "@hessia/nn";
import "@hessia/optim";
import "@hessia/autodiff";
import { type AnyPrimitive, allPrimitives, defineRule, findRule } from "@hessia/core/extend";
import { installCoreSamples, type Law, samples, samplesOf } from "@hessia/core/testing";
import { afterAll, describe, expect, it } from "vitest";
import { autodiffSamples } from "../samples/autodiff.js";
import { linalgSamples } from "../samples/linalg.js";

/** Primitives that no law can evaluate by itself, and the one whose laws reach them. */
export const reachedThrough: Readonly<Record<string, string>> = { customVjpLinear: "customVjpCall" };

export function installSamples(): void {
  installCoreSamples();
  for (const [primitive, list] of [...linalgSamples(), ...autodiffSamples()]) if (!findRule(primitive, samples)) defineRule(primitive, samples, () => list);
}

/**
 * One law over every registered primitive. A primitive without samples fails; one to which the law does not apply (no derivative, no float
 * input) is named in the line that is printed at the end.
 */
export function overRegistry(name: string, law: (primitive: AnyPrimitive) => Law, atLeast: number): void {
  installSamples();
  const primitives = allPrimitives();
  const covered: string[] = [];
  const other: string[] = [];
  let cases = 0;
  describe(name, () => {
    it.each(primitives.map((p) => [p.name, p] as const))("%s", async (_name, p) => {
      if (!(p.name in reachedThrough)) expect(samplesOf(p).length, "samples").toBeGreaterThan(0);
      const count = await law(p).check();
      cases += count;
      (count > 0 ? covered : other).push(p.name);
    });
    it(`covers at least ${atLeast} primitives`, () => expect(covered.length).toBeGreaterThanOrEqual(atLeast));
    afterAll(() => console.log(`${name}: ${covered.length} of ${primitives.length} primitives covered, ${cases} cases${other.length ? `; does not apply to ${other.join(", ")}` : ""}`));
  });
}
