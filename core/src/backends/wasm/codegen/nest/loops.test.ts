import { expect, it } from "vitest";
import { cond, foriLoop, jit, lax, type NDArray, np, scan, whileLoop, withDevice } from "../../../../index.js";

const sizes = [0, 1, 2, 3, 15, 16, 17, 63, 64, 65, 128];
const numbers = (n: number, k = 1): NDArray => np.array(Float64Array.from({ length: n }, (_, i) => Math.sin(k * i)));
const flat = (y: NDArray | readonly NDArray[]): NDArray[] => (Array.isArray(y) ? (y as NDArray[]) : [y as NDArray]);
/** What the reference makes of the same calls. */
const expected = (f: () => NDArray | readonly NDArray[]): NDArray[] => withDevice("reference", () => flat(f()));

/** Loops of small kernels, which are written into the loops, beside larger ones, which are not. */
const loops: Record<string, (x: NDArray) => NDArray | readonly NDArray[]> = {
  "a recurrence on neighbours": (x) => foriLoop(0, 7, (_, s) => s.add(np.roll(s, 1).mul(0.25)), x),
  "sums": (x) => scan((s: NDArray) => [s.mul(0.5).add(np.sum(s).mul(0.01)), np.sum(s)] as const, x, null, { length: 5 }),
  "elementary functions": (x) => foriLoop(0, 3, (_, s) => np.sin(np.exp(s.mul(0.1))), x),
  "backwards with rows": (x) => scan((s: NDArray, r: NDArray) => [s.mul(r), s.add(r)] as const, x, np.array([0.5, 1.5, 2.5]), { reverse: true }),
  "a loop that ends by its values": (x) => whileLoop(([n, s]: readonly [NDArray, NDArray]) => np.logicalAnd(np.sum(np.abs(s)).lt(50), n.lt(9)), ([n, s]) => [n.add(1), s.mul(2)] as const, [np.array(0, { dtype: "int32" }), x] as const),
  "loops and branches in loops": (x) => foriLoop(0, 3, (i, s) => foriLoop(0, 2, (j, t) => cond(i.add(j).gt(2), (v: NDArray) => v.add(1), (v: NDArray) => v.mul(0.5), t), s), x),
  "carries that change places": (x) => foriLoop(0, 5, (_, [a, b, c]: readonly [NDArray, NDArray, NDArray]) => [np.roll(b, 1).add(a.mul(0.1)), c, a.get("::-1")] as const, [x, x.mul(2), x.add(1)] as const),
  "updates that overlap what they read": (x) => (x.size < 2 ? x : foriLoop(0, 6, (i, s) => lax.dynamicUpdateSlice(s, lax.dynamicSlice(s, [i], [x.size >> 1]).mul(1.5), [np.mod(i.mul(3), 5)]), x)),
  "elements made of the ones before": (x) => (x.size < 2 ? x : foriLoop(1, x.size, (i, s) => s.at(i).set(s.get(i.sub(1)).mul(0.5).add(s.get(i))), x)),
  "updates at neighbours, in place": (x) => { const y = x.mul(2).at("1:").set(x.get(":-1")); return [y.at("::-1").set(y), y.at(":-1").set(y.get("1:")), y.at("1:").add(y.get(":-1"))]; },
  "a loop that never runs": (x) => whileLoop((s: NDArray) => np.sum(s).gt(1e9), (s) => s.mul(2), x),
};

it.each(Object.keys(loops).flatMap((name) => sizes.map((n) => [name, n] as const)))("%s of %d elements", (name, n) => {
  const f = loops[name]!;
  const want = expected(() => f(numbers(n)));
  const compiled = jit(f, { donateArgnums: 0 });
  for (let k = 0; k < 2; k++)
    flat(k === 0 ? jit(f)(numbers(n)) : compiled(numbers(n))).forEach((y, i) => {
      expect(y.shape).toEqual(want[i]!.shape);
      y.data.forEach((v, j) => expect(Math.abs(v - want[i]!.data[j]!)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(v))));
    });
});

it.each([1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 31, 33, 65])("products added in place to a square of side %d", (n) => {
  const a = (): NDArray => numbers(n * 6).reshape([n, 6]);
  const b = (): NDArray => numbers(6 * n).mul(2).reshape([6, n]);
  const f = (w: NDArray): NDArray => foriLoop(0, 3, (_, s) => s.mul(0.5).sub(np.matmul(a(), b()).mul(np.sum(s).mul(0.01))), w);
  const g = (w: NDArray): NDArray => foriLoop(0, 3, (_, s) => s.sub(np.matmul(a().add(np.sum(s).mul(1e-3)), b())), w);
  const w = (): NDArray => numbers(n * n).reshape([n, n]);
  for (const h of [f, g]) {
    const want = expected(() => h(w()))[0]!.data;
    for (const got of [jit(h)(w()), jit(h, { donateArgnums: 0 })(jit((v: NDArray) => v.mul(1))(w()))])
      got.data.forEach((v, k) => expect(Math.abs(v - want[k]!)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(v))));
  }
});
