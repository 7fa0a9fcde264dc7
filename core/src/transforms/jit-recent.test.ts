import { describe, expect, it } from "vitest";
import { ArgumentError, DisposedError, jit, LeakedTracerError, type NDArray, np, setDefaultFloat, tree } from "../index.js";
import { flattenLike } from "../base/tree.js";

describe("calls like the last few", () => {
  it("are told apart by structure, types, weakness and the default float", () => {
    let traced = 0;
    const f = jit((p: { a: NDArray; b?: NDArray } | NDArray[], x: NDArray) => {
      traced++;
      return tree.leaves<NDArray>(p).reduce((s, y) => np.add(s, y), x);
    });
    const [one, two] = [np.array(1), np.array(2)];
    const calls: [() => NDArray, number][] = [
      [() => f({ a: one }, two), 3], [() => f({ a: one, b: two }, two), 5], [() => f({ b: two, a: one }, two), 5], [() => f([one], two), 3],
      [() => f([one, one], two), 4], [() => f([one.astype("float32")], two), 3], [() => f([one], 2 as unknown as NDArray), 3], [() => f([np.ones([2])], two), NaN],
    ];
    for (let round = 0; round < 3; round++)
      for (const [call, value] of calls) {
        const y = call();
        if (Number.isNaN(value)) expect(y.toArray()).toEqual([3, 3]);
        else expect(y.item()).toBe(value);
      }
    // Key order is no part of a structure; all else is.
    expect(traced).toBe(7);
    expect(f.stats()).toMatchObject({ size: 7, misses: 7, hits: 17 });
    setDefaultFloat("float32");
    try {
      expect(f([one], 2 as unknown as NDArray).dtype).toBe("float64");
    } finally {
      setDefaultFloat("float64");
    }
    expect(traced).toBe(8);
  });

  it("keep every check", () => {
    const f = jit((x: NDArray) => np.add(x, 1));
    const x = np.ones([3]);
    f(x);
    f(x);
    expect(() => f("1" as unknown as NDArray)).toThrow(ArgumentError);
    let leaked: NDArray | undefined;
    jit((y: NDArray) => {
      leaked = y;
      return y;
    })(x);
    expect(() => f(leaked!)).toThrow(LeakedTracerError);
    x.dispose();
    expect(() => f(x)).toThrow(DisposedError);
  });

  it("give nothing away when another input is gone", () => {
    const f = jit((a: NDArray, b: NDArray) => np.add(a, b), { donateArgnums: 0 });
    const [a, b] = [np.add(np.ones([3]), 0), np.ones([3])];
    b.dispose();
    expect(() => f(a, b)).toThrow(DisposedError);
    expect(a.toArray()).toEqual([1, 1, 1]);
  });
});

describe("flattenLike", () => {
  const examples: unknown[] = [1, [1, 2], [[1], [2]], { a: 1 }, { a: 1, b: [2, null] }, { a: [1], b: undefined }, null, undefined, new Map([["a", 1]]), [], {}, { a: { b: {} } }];
  it("agrees with flatten, or leaves it to flatten", () => {
    for (const x of examples)
      for (const y of examples) {
        const [expected, def] = tree.flatten(y);
        const got: unknown[] = [];
        const same = flattenLike(tree.structure(x), y, got);
        if (same) expect(got).toEqual(expected);
        expect(same).toBe(!(y instanceof Map) && tree.structure(x).key === def.key);
      }
  });
});
