import { jit, np, type NDArray } from "@hessia/core";
import { bind1, compositeLowering, definePrimitive, type Params } from "@hessia/core/extend";
import { expect, it } from "vitest";

class Table {
  readonly #value: number;
  constructor(value: number) { this.#value = value; }
  get value(): number { return this.#value; }
}
const times = definePrimitive<Params & { readonly table: NDArray | Table | Map<string, number> }>({
  name: "regressions.times",
  abstractEval: ([x]) => x!,
  lower: compositeLowering(([x], { table }) => [x!.mul(table instanceof Table ? table.value : table instanceof Map ? table.get("a")! : table)]),
});

it.each([
  ["arrays", (v: number) => np.array([v, v])],
  ["scalars", (v: number) => np.array(v)],
  ["instances with private fields", (v: number) => new Table(v)],
  ["maps", (v: number) => new Map([["a", v]])],
])("params that hold %s are told apart, eagerly and as common subexpressions", (_, make) => {
  const x = np.array([1, 2]);
  expect([3, 5].map((v) => bind1(times, [x], { table: make(v) }).toArray())).toEqual([[3, 6], [5, 10]]);
  const f = jit((y: NDArray) => bind1(times, [y], { table: make(3) }).add(bind1(times, [y], { table: make(7) })));
  expect(f(x).toArray()).toEqual([10, 20]);
});
