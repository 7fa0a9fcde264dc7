import { np } from "@hessia/core";
import { bind1, primitiveFamilies } from "@hessia/core/extend";
import { expect, it } from "vitest";

it("polygamma of a large order ends", () => {
  const at = (n: number, x: number): unknown => bind1(primitiveFamilies.binary.polygamma, [np.asarray(n), np.asarray(x)], {}).item();
  // n! zeta(n + 1, x): beyond the largest float64, or below the smallest, or no number.
  expect(at(1e10, 750)).toBe(-Infinity);
  expect(at(1e300, 750)).toBe(-Infinity);
  expect(Math.abs(at(1e300, 5e299) as number)).toBe(0);
  expect(at(1e300, NaN)).toBeNaN();
  // From mpmath.
  expect((at(100, 30) as number) / -626546063.66861319542).toBeCloseTo(1, 12);
  expect((at(25, 3.5) as number) / 111047945288.55802917).toBeCloseTo(1, 13);
});
