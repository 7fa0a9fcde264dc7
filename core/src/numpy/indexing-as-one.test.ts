import { describe, expect, it } from "vitest";
import { eagerCacheStats } from "../execute/eager.js";
import { jit, memory, np } from "../index.js";

const x = np.array(Float32Array.from({ length: 60 }, (_, i) => i));
const X = np.reshape(x, [6, 10]);

describe("reading and writing by an index, eagerly", () => {
  it("is one entry into one program for all places of a loop", () => {
    const turns: readonly [string, (i: number) => unknown][] = [
      ["x[i]", (i) => x.get(i)], ["X[i]", (i) => X.get(i % 6)], ["X[:, i]", (i) => X.get(":", i % 10)], ["x[i:i+3]", (i) => x.get(`${i}:${i + 3}`)], ["X[-1 - i, i]", (i) => X.get(-1 - (i % 6), i % 10)],
    ];
    for (const [name, turn] of turns) {
      turn(0);
      const [misses, runs] = [eagerCacheStats().misses, memory().runs];
      for (let i = 1; i < 50; i++) turn(i);
      expect([name, eagerCacheStats().misses - misses, memory().runs - runs]).toEqual([name, 0, 49]);
    }
  });

  it("reads every place", () => {
    for (let i = -60; i < 60; i++) expect(x.get(i).item()).toBe(i < 0 ? i + 60 : i);
    for (let i = 0; i <= 60; i++) expect([...x.get(`${i}:${i + 4}`).data]).toEqual([...x.data.slice(i, i + 4)]);
    for (let i = 0; i < 6; i++) expect([...X.get(i, "2:5").data]).toEqual([2, 3, 4].map((j) => 10 * i + j));
    expect([...X.get("::-2", 3).data]).toEqual([53, 33, 13]);
    expect(X.get("2:2").shape).toEqual([0, 10]);
    expect(() => x.get(60)).toThrow(/get/);
  });

  it("writes every place", () => {
    for (let i = 0; i < 6; i++)
      for (const j of [0, 3, 9]) {
        const y = X.at(i, j).set(-1).data;
        expect([...y.keys()].filter((k) => y[k] !== X.data[k])).toEqual([10 * i + j]);
        expect(X.at(i, j).add(5).data[10 * i + j]).toBe(10 * i + j + 5);
      }
    expect([...x.at("::20").set(np.array([7, 8, 9])).data].filter((v, k) => v !== k)).toEqual([7, 8, 9]);
    expect([...x.at("58:").mul(2).data.slice(57)]).toEqual([57, 116, 118]);
  });

  it("index arrays: negative ones from the end, outside to the edge when read and dropped when written, as traced", () => {
    const at = np.array(Int32Array.of(0, -1, 59, 60, -61, 7, 7));
    expect([...x.get(at).data]).toEqual([0, 59, 59, 59, 0, 7, 7]);
    const sums = [...x.at(at).add(1).data];
    expect(sums.filter((v, k) => v !== k)).toEqual([1, 9, 61]);
    expect(sums).toEqual([...jit(() => x.at(at).add(1))().data]);
    const rows = np.array(Int32Array.of(5, 0, -1));
    expect([...X.get(rows, np.array(Int32Array.of(1, 2, 3))).data]).toEqual([51, 2, 53]);
    expect(X.get(rows, "1:3").shape).toEqual([3, 2]);
    expect([...X.get("1:3", rows).data]).toEqual([15, 10, 19, 25, 20, 29]);
    expect([...X.get(rows, [0, 1, 2]).data]).toEqual([50, 1, 52]);
    expect([...X.at(rows, np.array(Int32Array.of(1, 2, 99))).set(0).data].filter((v, k) => v !== k)).toEqual([0, 0]);
  });
});
