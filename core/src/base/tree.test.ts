import { describe, expect, it } from "vitest";
import { TreeError } from "./errors.js";
import * as tree from "./tree.js";

describe("pytrees", () => {
  it("keys objects in sorted order, and null and undefined without leaves", () => {
    expect(tree.leaves({ b: 1, a: [2, null, { c: 3 }], d: undefined })).toEqual([2, 3, 1]);
    expect(tree.map((x: number) => x + 1, { b: 1, a: [2, null] })).toEqual({ a: [3, null], b: 2 });
    expect(tree.leavesWithPath({ a: [1, { "x y": 2 }] }).map(([p, l]) => `${tree.formatPath(p)}=${String(l)}`)).toEqual(['.a[0]=1', '.a[1]["x y"]=2']);
  });

  it("map keeps the type of a tree whose leaves stay of their kind, and else says what became of them", () => {
    const params = { w: 1, layers: [{ b: 2 }], none: null };
    const same: { w: number; layers: { b: number }[]; none: null } = tree.map((x: number) => x * 2, params);
    const texts: { w: string; layers: { b: string }[]; none: null } = tree.map((x: number) => `${x}`, params);
    const scaled = <P>(p: P): P => tree.map((x: number) => x * 10, p);
    expect([same, texts, scaled(params)]).toEqual([{ w: 2, layers: [{ b: 4 }], none: null }, { w: "1", layers: [{ b: "2" }], none: null }, { w: 10, layers: [{ b: 20 }], none: null }]);
  });

  it("classes compare what is static by content, functions by identity", () => {
    class Layer { constructor(readonly w: number, readonly options: unknown) {} }
    tree.registerPytree(Layer, { flatten: (l) => ({ children: [l.w], meta: l.options }), unflatten: (meta, [w]) => new Layer(w as number, meta) });
    const key = (o: unknown) => tree.structure(new Layer(1, o)).key;
    const f = () => 1;
    const g = () => 2;
    expect(key({ act: f })).toBe(key({ act: f }));
    expect(key({ act: f })).not.toBe(key({ act: g }));
    expect(key({ rate: NaN })).not.toBe(key({ rate: null }));
    expect(key(new Set([1]))).not.toBe(key(new Set([2])));
  });

  it("a prefix must have the keys of the tree", () => {
    expect(tree.broadcast({ a: 0, b: 1 }, { a: [7, 8], b: 9 })).toEqual({ a: [0, 0], b: 1 });
    expect(() => tree.broadcast({ a: 0, b: 1 }, { b: 1, c: 2 })).toThrow(TreeError);
  });

  it("folds pairwise", () => {
    expect(tree.reduceAssociative((a: string, b: string) => `(${a}${b})`, ["a", ["b", "c"], { d: "d", e: "e" }])).toBe("(((ab)(cd))e)");
    expect(() => tree.reduceAssociative((a: number) => a, [])).toThrow(TreeError);
    expect(tree.reduceAssociative((a: number, b: number) => a + b, [], 0)).toBe(0);
  });

  it("refuses cycles, wrong counts of leaves and what is no structure", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(() => tree.leaves(cycle)).toThrow(/cycle/);
    expect(() => tree.unflatten(tree.structure([1, 2]), [1])).toThrow(TreeError);
    expect(() => tree.unflatten("x" as never, [1])).toThrow(TreeError);
    expect(() => tree.transpose(tree.structure([1, 2]), tree.structure([1]), [1])).toThrow(TreeError);
  });
});
