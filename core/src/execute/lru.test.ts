import { describe, expect, it } from "vitest";
import { LruCache, RecentSlots } from "./lru.js";

describe("LruCache", () => {
  it("forgets what was used longest ago, by get or by touch, and says so", () => {
    const gone: number[] = [];
    const cache = new LruCache<string, number>(3, (v) => gone.push(v));
    const a = cache.set("a", 1);
    cache.set("b", 2);
    cache.set("c", 3);
    cache.touch(a);
    expect(cache.get("b")).toBe(2);
    cache.set("d", 4);
    expect(gone).toEqual([3]);
    cache.set("e", 5);
    expect(gone).toEqual([3, 1]);
    expect(a.kept).toBe(false);
    expect([cache.get("a"), cache.get("b"), cache.get("d"), cache.get("e")]).toEqual([undefined, 2, 4, 5]);
    expect(cache.size).toBe(3);
  });

  it("gives a replaced value back, and everything on clear", () => {
    const gone: number[] = [];
    const cache = new LruCache<string, number>(3, (v) => gone.push(v));
    cache.set("a", 1);
    cache.set("a", 2);
    cache.set("b", 3);
    expect(gone).toEqual([1]);
    cache.clear();
    expect(gone).toEqual([1, 2, 3]);
    expect(cache.size).toBe(0);
    cache.set("c", 4);
    expect(cache.get("c")).toBe(4);
  });

  it("agrees with a plain list over many random uses", () => {
    const cache = new LruCache<number, number>(8);
    let order: number[] = [];
    let state = 1;
    for (let i = 0; i < 5000; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const key = (state >>> 16) % 14;
      if (cache.get(key) === undefined) cache.set(key, key);
      order = [key, ...order.filter((k) => k !== key)].slice(0, 8);
      expect(cache.size).toBe(order.length);
    }
    const before = cache.misses;
    for (const k of order) expect(cache.get(k)).toBe(k);
    expect(cache.misses).toBe(before);
  });
});

describe("RecentSlots", () => {
  it("keeps the newest few, each once, none that was forgotten", () => {
    const cache = new LruCache<string, number>(3);
    const recent = new RecentSlots<string, number>(2);
    const [a, b, c] = [cache.set("a", 1), cache.set("b", 2), cache.set("c", 3)];
    for (const s of [a, b, b, c]) recent.add(s);
    expect(recent.list).toEqual([c, b]);
    cache.set("d", 4);
    cache.set("e", 5);
    recent.add(c);
    expect(recent.list).toEqual([c]);
  });
});
