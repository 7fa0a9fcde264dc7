import { np, type NDArray } from "@hessia/core";
import { bind, bind1, primitiveFamilies } from "@hessia/core/extend";
import { describe, expect, it } from "vitest";
import { checkGrads, grad, hessian, jvp } from "../index.js";
import { expectClose } from "../fixtures/compare.js";

const { unary, binary, structural, reductions, cumulative, indexing } = primitiveFamilies;
const int = (x: number[] | number[][]) => np.array(x, { dtype: "int32" });
/** Fixed points spread over an interval, away from its ends. */
const spread = ([lo, hi]: readonly [number, number], n: number, phase = 0): NDArray => np.array(Array.from({ length: n }, (_, i) => lo + (hi - lo) * (0.07 + 0.86 * ((i * 0.618034 + phase + 0.31) % 1))));

describe("elementwise functions to third order", () => {
  const flat = new Set(["sign", "floor", "ceil", "round", "trunc", "not", "isFinite"]);
  for (const [name, p] of Object.entries(unary)) {
    if (flat.has(name)) continue;
    it(name, () => checkGrads((x: NDArray) => bind1(p, [x], {}), [spread(p.facts.domain![0]!, 5)], { order: 3, rtol: 1e-5, atol: 1e-5 }));
  }
  for (const name of ["add", "sub", "mul", "div", "rem", "pow", "atan2", "max", "min"] as const)
    it(name, () => {
      const [a, b] = binary[name].facts.domain!;
      checkGrads((x: NDArray, y: NDArray) => bind1(binary[name], [x, y], {}), [spread(a!, 5), spread(b!, 5, 0.4)], { order: 3, rtol: 1e-5, atol: 1e-5 });
    });
  for (const name of ["igamma", "igammac"] as const)
    it(`${name} by both arguments`, () => checkGrads((a: NDArray, x: NDArray) => bind1(binary[name], [a, x], {}), [spread([0.5, 4], 5), spread([0.2, 5], 5, 0.4)], { order: 3, rtol: 1e-5, atol: 1e-5 }));
  it("polygamma by its second argument", () => checkGrads((x: NDArray) => bind1(binary.polygamma, [np.array([0, 1, 2]), x], {}), [np.array([0.7, 1.4, 3])], { order: 3, rtol: 1e-5, atol: 1e-5 }));
});

describe("structural operations", () => {
  const x = spread([-2, 2], 24).reshape([2, 3, 4]);
  // Squares make the second derivative differ from zero.
  const check = (name: string, f: (x: NDArray) => NDArray, at = x) => it(name, () => checkGrads((v: NDArray) => np.square(f(np.square(v))), [at]));
  check("transpose", (v) => bind1(structural.transpose, [v], { permutation: [2, 0, 1] }));
  check("broadcast", (v) => bind1(structural.broadcast, [v], { shape: [2, 5, 3, 4], dims: [0, 2, 3] }));
  check("broadcast of an axis of size 1", (v) => bind1(structural.broadcast, [v], { shape: [3, 2, 4], dims: [0, 2] }), spread([-2, 2], 4).reshape([1, 4]));
  check("reshape", (v) => bind1(structural.reshape, [v], { shape: [6, 4] }));
  check("slice with strides", (v) => bind1(structural.slice, [v], { start: [0, 1, 0], limit: [2, 3, 4], strides: [1, 1, 3] }));
  check("empty slice", (v) => bind1(structural.slice, [v], { start: [0, 1, 0], limit: [2, 1, 4], strides: [1, 1, 3] }));
  check("pad", (v) => bind1(structural.pad, [v, np.array(1)], { low: [0, 1, 0], high: [2, 0, 1], interior: [0, 0, 2] }));
  check("pad that removes", (v) => bind1(structural.pad, [v, np.array(1)], { low: [0, -1, 0], high: [2, 0, -2], interior: [1, 0, 1] }));
  it("pad by its value", () => checkGrads((v: NDArray, c: NDArray) => np.square(bind1(structural.pad, [v, np.square(c)], { low: [0, -1, 0], high: [2, 0, -2], interior: [1, 0, 1] })), [x, np.array(0.7)]));
  check("reverse", (v) => bind1(structural.reverse, [v], { axes: [0, 2] }));
  it("concatenate", () => checkGrads((a: NDArray, b: NDArray) => np.square(bind1(structural.concatenate, [np.square(a), b, a], { axis: 1 })), [x, spread([-1, 1], 16).reshape([2, 2, 4])]));
  check("windows", (v) => bind1(structural.windows, [v], { window: [1, 2, 2], strides: [1, 1, 2], dilation: [1, 1, 1] }));
  check("windows with dilation", (v) => bind1(structural.windows, [v], { window: [2], strides: [2], dilation: [3] }), spread([-1, 1], 10));
  check("overlapAdd", (v) => bind1(structural.overlapAdd, [v], { shape: [10], window: [2], strides: [2], dilation: [3] }), spread([-1, 1], 8).reshape([4, 2]));
});

describe("reductions and cumulations", () => {
  const x = spread([-2, 2], 24).reshape([2, 3, 4]);
  for (const name of ["reduceSum", "reduceProd", "reduceMax", "reduceMin", "firstMax", "firstMin"] as const)
    for (const axes of [[1], [0, 2], [0, 1, 2]]) it(`${name} over ${axes.join()}`, () => checkGrads((v: NDArray) => np.square(bind1(reductions[name], [np.sin(v)], { axes })), [x]));
  for (const name of ["cumsum", "cumprod", "cummax", "cummin"] as const)
    for (const reverse of [false, true]) it(`${name}${reverse ? " reversed" : ""}`, () => checkGrads((v: NDArray) => np.square(bind1(cumulative[name], [np.sin(v)], { axis: 1, reverse })), [spread([-2, 2], 12).reshape([2, 6])], { order: 3, rtol: 1e-5, atol: 1e-5 }));

  it("prod with zeros is right to third order", () => {
    const f = (v: NDArray) => bind1(reductions.reduceProd, [v], { axes: [0] });
    for (const at of [[2, 0, -3, 0.5], [0, 0, -3, 0.5], [0, 0, 0, 0.5]]) checkGrads(f, [np.array(at)], { order: 4, rtol: 1e-4, atol: 1e-4 });
    expectClose(hessian(f)(np.array([0, 0, 3])), [[0, 3, 0], [3, 0, 0], [0, 0, 0]]);
  });
  it("cumprod with zeros", () => checkGrads((v: NDArray) => bind1(cumulative.cumprod, [v], { axis: 0, reverse: false }), [np.array([2, 0, 3, 0, -1])], { order: 3, rtol: 1e-5, atol: 1e-5 }));
  it("the first of equal extrema has the whole derivative", () => {
    expectClose(grad((v: NDArray) => bind1(reductions.firstMax, [v], { axes: [0] }))(np.array([1, 3, 3, 3])), [0, 1, 0, 0]);
    expectClose(grad((v: NDArray) => np.sum(bind1(reductions.firstMin, [v], { axes: [0, 2] }).mul(np.array([1, 10]))))(np.array([[[2, 1], [5, 5]], [[1, 1], [5, 4]]])), [[[0, 1], [0, 0]], [[0, 0], [0, 10]]]);
  });
  it("ties share equally", () => {
    expectClose(grad((v: NDArray) => bind1(reductions.reduceMax, [v], { axes: [0] }))(np.array([1, 3, 3, 3])), [0, 1 / 3, 1 / 3, 1 / 3]);
    expectClose(grad((v: NDArray) => bind1(binary.max, [v, np.array(2)], {}))(np.array(2)), 0.5);
    expectClose(grad((v: NDArray) => np.sum(bind1(cumulative.cummax, [v], { axis: 0, reverse: false }).mul(np.array([1, 10, 100]))))(np.array([1, 1, 1])), [1 + 5 + 100 / 3, 5 + 100 / 3, 100 / 3]);
  });
});

describe("sort, products, convolution", () => {
  it("sort along an inner axis", () => checkGrads((v: NDArray) => np.square(bind(primitiveFamilies.sort.sort, [np.sin(v)], { axis: 1, keys: 1 })[0]!), [spread([-1.5, 1.5], 12).reshape([2, 3, 2])]));
  it("sort of several arrays by keys", () => checkGrads((a: NDArray, b: NDArray) => bind(primitiveFamilies.sort.sort, [np.sin(a), np.square(b)], { axis: 0, keys: 1 })[1]!, [spread([-1.5, 1.5], 5), spread([-1, 1], 5, 0.2)]));
  const { dot } = primitiveFamilies.dot;
  const cases = [
    { a: [3, 4], b: [4, 2], contract: [[1], [0]], batch: [[], []] },
    { a: [4, 3], b: [2, 4], contract: [[0], [1]], batch: [[], []] },
    { a: [2, 3, 4], b: [4, 2, 3], contract: [[1, 2], [2, 0]], batch: [[0], [1]] },
    { a: [3, 2, 5], b: [2, 5, 4, 3], contract: [[2], [1]], batch: [[1, 0], [0, 3]] },
    { a: [3], b: [2], contract: [[], []], batch: [[], []] },
  ] as const;
  for (const c of cases) it(`dot ${JSON.stringify(c)}`, () => checkGrads((a: NDArray, b: NDArray) => np.square(bind1(dot, [a, np.sin(b)], { contract: c.contract as never, batch: c.batch as never })), [spread([-1, 1], c.a.reduce((p, n) => p * n, 1)).reshape([...c.a]), spread([-1, 1], c.b.reduce((p: number, n: number) => p * n, 1), 0.3).reshape([...c.b])]));

  const { conv } = primitiveFamilies.convolution;
  const base = { strides: [1, 1], low: [0, 0], high: [0, 0], inputDilation: [1, 1], kernelDilation: [1, 1], groups: 1, batchGroups: 1 };
  const convolutions = [
    { x: [2, 3, 5, 4], k: [4, 3, 3, 2], p: {} },
    { x: [1, 2, 6, 5], k: [3, 2, 3, 2], p: { strides: [2, 3], low: [1, 0], high: [0, 2] } },
    { x: [1, 2, 6, 5], k: [3, 2, 2, 2], p: { kernelDilation: [2, 3], low: [1, 2], high: [1, 1] } },
    { x: [1, 2, 4, 3], k: [2, 2, 3, 2], p: { inputDilation: [2, 3], strides: [1, 2], low: [2, 0], high: [1, 1] } },
    { x: [2, 4, 5, 4], k: [6, 2, 2, 3], p: { groups: 2, strides: [2, 1], low: [1, 1] } },
    { x: [4, 2, 5, 4], k: [6, 2, 2, 3], p: { batchGroups: 2, strides: [2, 1], high: [1, 1] } },
    { x: [1, 1, 6, 6], k: [1, 1, 2, 2], p: { low: [-1, 0], high: [0, -2], strides: [2, 1] } },
  ];
  for (const c of convolutions) it(`conv ${JSON.stringify(c)}`, () => checkGrads((x: NDArray, k: NDArray) => np.square(bind1(conv, [x, np.sin(k)], { ...base, ...c.p })), [spread([-1, 1], c.x.reduce((p, n) => p * n, 1)).reshape(c.x), spread([-1, 1], c.k.reduce((p, n) => p * n, 1), 0.3).reshape(c.k)]));
});

describe("indexing", () => {
  const x = spread([-2, 2], 12).reshape([2, 3, 2]);
  for (const mode of ["clip", "fill"] as const) {
    it(`gather, ${mode}`, () => {
      const i = int([[0, 2, 2, 1], [1, 0, 7, -1]]);
      const f = (v: NDArray) => np.nanToNum(bind1(indexing.gather, [np.sin(v), i], { batchDims: 1, mode }));
      checkGrads((v: NDArray) => np.square(f(v)), [x]);
    });
    for (const op of ["set", "add", "mul", "max", "min"] as const)
      for (const batchDims of [0, 1])
        it(`scatter ${op}, ${mode}, repeated indices, ${batchDims} batch axes`, () => {
          const i = batchDims ? int([[0, 2, 2], [1, 5, 1]]) : int([0, 1, 1, 9]);
          const u = spread([0.4, 2], batchDims ? 12 : 24, 0.2).reshape(batchDims ? [2, 3, 2] : [4, 3, 2]);
          checkGrads((v: NDArray, w: NDArray) => np.square(bind1(indexing.scatter, [np.sin(v), i, np.square(w)], { batchDims, mode, op, uniqueIndices: false })), [x, u]);
        });
  }
  it("scatter mul with updates that are zero", () => checkGrads((v: NDArray, w: NDArray) => bind1(indexing.scatter, [v, int([0, 1, 1, 1]), w], { batchDims: 0, mode: "clip", op: "mul", uniqueIndices: false }), [np.array([1.5, 2, 3]), np.array([2, 0, 3, 0])], { order: 3, rtol: 1e-5, atol: 1e-5 }));
  it("scatter set: the last of repeated indices gets the gradient", () => {
    const f = (u: NDArray) => np.sum(bind1(indexing.scatter, [np.zeros([3]), int([1, 1, 0]), u], { batchDims: 0, mode: "clip", op: "set", uniqueIndices: false }).mul(np.array([1, 10, 100])));
    expectClose(grad(f)(np.array([1, 2, 3])), [0, 10, 1]);
  });
  const starts = [int([1]).reshape([]), int([0]).reshape([]), int([5]).reshape([])];
  it("dynamicSlice", () => checkGrads((v: NDArray) => np.square(bind1(indexing.dynamicSlice, [np.sin(v), ...starts], { sizes: [1, 2, 1] })), [x]));
  it("dynamicUpdateSlice", () => checkGrads((v: NDArray, u: NDArray) => np.square(bind1(indexing.dynamicUpdateSlice, [np.sin(v), np.square(u), ...starts], {})), [x, np.array([[[0.3], [0.7]]])]));
});

describe("types", () => {
  it("casts between floats carry derivatives", () => {
    const g = grad((v: NDArray) => np.sum(np.square(v.astype("float64")).astype("float32")))(np.array([1, 2], { dtype: "float32" }));
    expect(g.dtype).toBe("float32");
    expectClose(g, [2, 4]);
  });
  it("casts to integers do not", () => expectClose(grad((v: NDArray) => np.sum(v.astype("int32").astype("float64").mul(v)))(np.array([1.5, 2.5])), [1, 2]));
  it("select", () => checkGrads((a: NDArray, b: NDArray) => np.square(np.where(np.greater(a, 0), np.sin(a), np.square(b))), [spread([-1, 1], 6), spread([-1, 1], 6, 0.3)]));
});

describe("conventions at kinks", () => {
  const at = (f: (x: NDArray) => NDArray, x: number) => [Number(grad(f)(np.array(x)).item()), Number(grad(grad(f))(np.array(x)).item())];
  it("abs' = 1 at 0, sign' = 0", () => {
    expect(at((x) => bind1(unary.abs, [x], {}), 0)).toEqual([1, 0]);
    expect(at((x) => bind1(unary.sign, [x], {}), 0)).toEqual([0, 0]);
  });
  it("pow at base 0", () => {
    const pow = (x: NDArray, y: NDArray) => bind1(binary.pow, [x, y], {});
    for (const [y, first, second] of [[0, 0, 0], [1, 1, 0], [2, 0, 2], [3, 0, 0]] as const) expect(at((x) => pow(x, np.array(y)), 0)).toEqual([first, second]);
    expect(Number(grad((y: NDArray) => pow(np.array(0), y))(np.array(2)).item())).toBe(0);
    expect(Number(grad((x: NDArray) => pow(x, np.array(3)))(np.array(-2)).item())).toBe(12);
  });
  it("slopes keep their digits where functions saturate", () => {
    const slope = (p: typeof unary.tanh, x: number) => Number(grad((v: NDArray) => bind1(p, [v], {}))(np.array(x)).item());
    expectClose(slope(unary.tanh, 12) / 1.510053817597626e-10, 1);
    expectClose(slope(unary.logistic, 40) / 4.248354255291561e-18, 1);
    expectClose(slope(unary.expm1, -40) / 4.248354255291589e-18, 1);
    for (const x of [800, -800]) expect(at((v) => bind1(unary.tanh, [v], {}), x).map(Math.abs)).toEqual([0, 0]);
  });
});

describe("no derivative", () => {
  it("says why", () => {
    const x = np.array([1.5]);
    expect(() => jvp((v: NDArray) => bind1(binary.nextafter, [v, v], {}), [x], [x])).toThrow(/nextafter.*units of the last place/);
    expect(() => jvp((v: NDArray) => bind1(binary.polygamma, [v, x], {}), [x], [x])).toThrow(/order of polygamma is an integer/);
  });
  it("piecewise constant functions have zero derivative", () => {
    for (const name of ["floor", "ceil", "round", "trunc", "sign"] as const) expectClose(grad((v: NDArray) => np.sum(bind1(unary[name], [v], {})))(np.array([0.3, -1.7])), [0, 0]);
  });
});
