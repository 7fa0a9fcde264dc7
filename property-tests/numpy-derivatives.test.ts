import { describe, expect, it } from "vitest";
import { type NDArray, np } from "@hessia/core";
import { grad } from "@hessia/autodiff";

/** Composites of np with their value and first three derivatives at points, made with jax.grad on the plain formula in float64. */
const c = np.array;
type Row = readonly [at: number, value: number, first: number, second: number, third: number];
const cases: Readonly<Record<string, readonly [(x: NDArray) => NDArray, readonly Row[]]>> = {
  power3: [(x) => np.power(x, 3), [[0, 0, 0, 0, 6], [-1.5, -3.375, 6.75, -9, 6]]],
  power12: [(x) => np.power(x, 12), [[-1.5, 129.746337890625, -1037.970703125, 7611.78515625, -50745.234375], [0, 0, 0, 0, 0]]],
  "power-2": [(x) => np.power(x, -2), [[-1.5, 0.4444444444444444, 0.5925925925925926, 1.1851851851851851, 3.160493827160494]]],
  power0: [(x) => np.power(x, 0), [[0, 1, 0, 0, 0]]],
  hypot: [(x) => np.hypot(x, 1), [[0, 1, 0, 1, 0], [1, 1.4142135623730951, 0.7071067811865475, 0.35355339059327373, -0.5303300858899106], [0.001, 1.000000499999875, 0.000999999500000375, 0.999998500001875, -0.0029999925000131246]]],
  "hypot at the origin": [(x) => np.hypot(x, 0), [[0, 0, 0, 0, 0]]],
  logaddexp: [(x) => np.logaddexp(x, 1), [[1, 1.6931471805599454, 0.5, 0.25, 0], [0.5, 1.4740769841801067, 0.3775406687981454, 0.23500371220159444, 0.05755679485232068], [2, 2.313261687518223, 0.7310585786300048, 0.19661193324148188, -0.09085774767294848]]],
  logaddexp2: [(x) => np.logaddexp2(x, 1), [[1, 2, 0.5, 0.17328679513998632, 0], [0.5, 1.771553303163612, 0.4142135623730951, 0.16818570816586034, 0.020001528187713325]]],
  sinc: [(x) => np.sinc(x), [[0, 1, 0, -3.2898681336964524, 0], [0.3, 0.8583936913341398, -0.902028130138889, -2.4584852862661752, 5.2474931529243545], [1.2, -0.15591488063143982, -0.5442517614529231, 2.4459044611635856, 0.5391369206235912]]],
  var: [(x) => np.var(np.sin(x.mul(c([1, 2, 4])))), [[0.7, 0.07057360893799353, 0.8732452086406893, 8.638449428330995, 5.916621479006693]]],
  std: [(x) => np.std(np.sin(x.mul(c([1, 2, 4])))), [[0.7, 0.26565693843375054, 1.6435580673878372, 6.09034193809825, -101.9027821996195]]],
  median: [(x) => np.median(np.power(x, 3).mul(c([1, 2, 4, 7]))), [[1, 3, 9, 18, 18]]],
  quantile: [(x) => np.quantile(np.power(x, 3).mul(c([1, 2, 4, 7])), 0.3), [[1, 1.9, 5.7, 11.4, 11.4]]],
  prod: [(x) => np.prod(x.add(c([0, 1, 2]))), [[0, 0, 2, 6, 6], [0.5, 1.875, 5.75, 9, 6]]],
  cumprod: [(x) => np.cumprod(np.sin(x).mul(c([1, 2, 3]))).sum(), [[0.4, 1.0470355443995727, 4.869937753669883, 13.227553615248638, 3.8708048620932267]]],
  interp: [(x) => np.interp(np.square(x), [0, 1, 2], [0, 10, 30]), [[0.5, 2.5, 10, 20, 0], [1.2, 18.799999999999997, 48, 40, 0]]],
  trapezoid: [(x) => np.trapezoid(np.exp(x.mul(c([1, 2, 3])))), [[0.2, 3.0135854769166097, 6.32752897494839, 14.777534771402458, 37.14390276548212]]],
  gradient: [(x) => np.square(np.gradient(np.exp(x.mul(c([1, 2, 3])))) as NDArray).sum(), [[0.2, 0.27243716051186534, 3.8681531486485827, 41.56513746518878, 347.0368729147086]]],
  logspace: [(x) => np.logspace(0, x, 3).sum(), [[2, 111, 241.77143476437482, 543.4445563240358, 1236.0672448182872]]],
  geomspace: [(x) => np.geomspace(1, x, 3).sum(), [[4, 7, 1.25, -0.03125, 0.01171875]]],
  linspace: [(x) => np.square(np.linspace(0, np.power(x, 3), 3)).sum(), [[2, 80, 240, 600, 1200]]],
  einsum: [(x) => np.einsum("i,j,k->", x.mul(c([1, 2])), x.mul(c([3])), x.mul(c([1, 1]))), [[2, 144, 216, 216, 108]]],
  matmul: [(x) => np.matmul(np.sin(x.mul(c([[1, 2], [3, 4]]))), np.cos(x.mul(c([1, 2])))).sum(), [[0.3, 2.2659266114988768, 3.243831578556468, -35.82973757165335, -8.55709743856986]]],
  convolve: [(x) => np.convolve(x.mul(c([1, 2])), np.square(x).mul(c([3, 1]))).sum(), [[2, 96, 144, 144, 72]]],
  corrcoef: [(x) => np.corrcoef(x.mul(c([[1, 2, 4], [0, 1, 5]])).add(c([[1, 0, 1], [3, 1, 5]]))).sum(), [[2, 3.975658322294524, -0.0036210746376369174, 0.007284005783181301, -0.013473843042353457]]],
  cross: [(x) => np.cross(x.mul(c([1, 2, 3])), np.square(x).mul(c([3, 1, 2]))).sum(), [[2, 24, 36, 36, 18]]],
  vander: [(x) => np.vander(x.mul(c([1, 2])), 4).sum(), [[2, 100, 131, 118, 54], [0.5, 5.875, 14.75, 37, 54]]],
  average: [(x) => np.average(c([1, 2, 5]), null, { weights: x.add(c([1, 2, 3])) }), [[2, 3, -0.08333333333333337, 0.041666666666666685, -0.031250000000000014]]],
  polyval: [(x) => np.polyval(c([1, -2, 3, 4]), x), [[2, 10, 7, 8, 6], [0, 4, 3, -4, 6]]],
  remainder: [(x) => np.remainder(np.power(x, 3), 3), [[2, 2, 12, 12, 6]]],
  copysign: [(x) => np.copysign(np.power(x, 3), -1), [[2, -8, -12, -12, -6]]],
  fmax: [(x) => np.fmax(np.power(x, 3), NaN), [[2, 8, 12, 12, 6]]],
  nanToNum: [(x) => np.nanToNum(np.power(x, 3)), [[2, 8, 12, 12, 6]]],
  nanmean: [(x) => np.nanmean(np.power(x, 3).add(c([1, NaN, 3]))), [[2, 10, 12, 12, 6]]],
};

describe("composites of np have the derivatives of their formula, to third order", () => {
  for (const [name, [f, rows]] of Object.entries(cases))
    for (const [at, ...want] of rows)
      it(`${name} at ${at}`, () => {
        let g = f;
        for (const [order, expected] of want.entries()) {
          const got = Number(g(np.array(at)).item());
          const error = Math.abs(got - expected) / Math.max(1, Math.abs(expected));
          expect(error, `order ${order}: ${got}, expected ${expected}`).toBeLessThan(order < 3 ? 1e-11 : 1e-9);
          const before = g;
          g = grad((x: NDArray) => before(x)) as (x: NDArray) => NDArray;
        }
      });
});
