import { describe, expect, it } from "vitest";
import "../index.js";
import { igammaGradA, randomGammaGrad } from "./gamma-gradient.js";

/** a, x, dP/da from mpmath (30 digits). */
const golden: [number, number, number][] = [
  [0.01, 1e-10, -17.94638683611583], [0.01, 1, -0.22385772637353366], [0.5, 1e-10, -0.00026023065019619644], [0.5, 0.1, -0.8229360969795988],
  [0.5, 1, -0.38983726432851057], [0.5, 11, -1.2111963569029994e-5], [1, 3, -0.09648294199134635], [10, 1e-10, -6.993387212494752e-106],
  [10, 9, -0.12703651192426837], [10, 11, -0.11569395739153053], [10, 100, -2.66062059649668e-31], [100, 1, -1.8354743026556828e-158],
  [100, 100, -0.03992749785778605], [5000, 5000, -0.00564198986848495], [50, 10, -3.012283857252289e-19], [1e-10, 1, -0.2193839344404153], [3, 50, -7.552056917446367e-19],
];

describe("derivatives of the incomplete gamma function in its parameter", () => {
  it("are right over 300 orders of magnitude", () => {
    const got = igammaGradA(golden.map((g) => g[0]), golden.map((g) => g[1])).data;
    golden.forEach(([a, x, y], i) => expect(Math.abs(got[i]! / y - 1), `a = ${a}, x = ${x}`).toBeLessThan(1e-10));
  });
  it("divided by the density are derivatives of draws, against JAX", () => {
    // jax.lax.random_gamma_grad
    const got = randomGammaGrad([0.5, 2.5, 40], [0.3, 4, 35]).data;
    [1.0098019459488552, 1.3396081953658652, 0.9386210202777694].forEach((v, i) => expect(got[i]).toBeCloseTo(v, 12));
  });
  it("are 0 at the ends and NaN outside", () => {
    expect(igammaGradA([2, 2, -1], [0, Infinity, 1]).toArray()).toEqual([0, 0, NaN]);
  });
});
