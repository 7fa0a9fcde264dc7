import { DisposedError, HessiaError, jit, memory, type NDArray, np } from "@hessia/core";
import { grad, hessian, hvp } from "@hessia/autodiff";
import { expect, it } from "vitest";

const rosenbrock = (x: NDArray): NDArray => np.sum(np.add(np.multiply(100, np.square(np.subtract(x.get("1:"), np.square(x.get(":-1"))))), np.square(np.subtract(1, x.get(":-1")))));
const entries = (f: () => unknown): number => {
  const before = memory().runs;
  f();
  return memory().runs - before;
};

it("a jitted Hessian of ten variables enters compiled code once", () => {
  const x = np.linspace(-1, 1, 10);
  const h = jit(hessian(rosenbrock));
  h(x);
  expect(entries(() => h(x))).toBe(1);
  const all = jit((y: NDArray, v: NDArray) => [rosenbrock(y), grad(rosenbrock)(y), hvp(rosenbrock, [y], [v])[1]] as const);
  all(x, x);
  expect(entries(() => all(x, x))).toBe(1);
});

it("reading a result enters nothing", () => {
  const y = jit(rosenbrock)(np.ones([10]));
  expect(entries(() => y.item())).toBe(0);
});

it("an array that was disposed says so, and nothing else breaks", () => {
  const x = np.add(np.ones([4]), 1);
  const y = np.multiply(x, 2);
  x.dispose();
  x.dispose();
  for (const use of [() => np.add(x, 1), () => x.data, () => x.toArray(), () => jit((a: NDArray) => np.sin(a))(x), () => grad((a: NDArray) => np.sum(np.sin(a)))(x)]) expect(use).toThrow(DisposedError);
  expect(y.toArray()).toEqual([4, 4, 4, 4]);
  expect(np.add(y, 1).toArray()).toEqual([5, 5, 5, 5]);
});

it("a donated argument is gone; its neighbours and the result are not", () => {
  const f = jit((a: NDArray, b: NDArray) => np.add(a, b), { donateArgnums: 0 });
  const [a, b] = [np.add(np.ones([1000]), 0), np.add(np.ones([1000]), 1)];
  const c = f(a, b);
  expect(() => np.add(a, 1)).toThrow(DisposedError);
  expect(() => f(a, b)).toThrow(DisposedError);
  expect(b.get(5).item()).toBe(2);
  expect(c.get(5).item()).toBe(3);
});

it("one array donated and passed again, or returned as it is, is no corruption", () => {
  const same = jit((a: NDArray, b: NDArray) => [np.add(a, b), a], { donateArgnums: 0 });
  const a = np.add(np.arange(5).astype("float64"), 0);
  const b = np.add(a, 10);
  const [sum, kept] = same(a, b) as [NDArray, NDArray];
  expect(sum.toArray()).toEqual([10, 12, 14, 16, 18]);
  expect(kept.toArray()).toEqual([0, 1, 2, 3, 4]);
  const x = np.add(np.ones([3]), 0);
  let outcome: unknown;
  try {
    outcome = (same(x, x) as [NDArray, NDArray])[0].toArray();
  } catch (e) {
    outcome = e;
  }
  // Either the sum of the two or a named refusal, never a wrong number.
  if (outcome instanceof Error) expect(outcome).toBeInstanceOf(HessiaError);
  else expect(outcome).toEqual([2, 2, 2]);
});

it("live bytes come back when arrays are disposed", () => {
  const before = memory();
  const list = Array.from({ length: 20 }, (_, i) => np.add(np.ones([5000]), i));
  list.forEach((x) => x.dispose());
  expect(memory().liveBytes - before.liveBytes).toBeLessThan(21 * 5000 * 8);
});
