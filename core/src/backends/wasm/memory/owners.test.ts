import { describe, expect, it } from "vitest";
import { Allocator, type Block } from "./allocator.js";
import { Owners } from "./owners.js";

describe("owners of blocks", () => {
  const setting = () => {
    const released: Block[] = [];
    const allocator = new Allocator(64, (bytes) => bytes);
    return { released, owners: new Owners((b) => released.push(b)), block: () => allocator.allocate(64) };
  };

  it("give their block up once, and serve again", () => {
    const { owners, released, block } = setting();
    const [a, b] = [block(), block()];
    const owner = owners.own(a);
    expect(owner.block).toBe(a);
    expect(owners.disown(owner)).toBe(a);
    expect(owners.disown(owner)).toBeUndefined();
    const again = owners.own(b);
    expect(again).toBe(owner);
    expect(again.block).toBe(b);
    // An owner that was disowned twice is idle once.
    expect(owners.own(a)).not.toBe(owner);
    expect(released).toEqual([]);
  });

  it("that are forgotten give their blocks back", async () => {
    const { owners, released, block } = setting();
    const blocks = Array.from({ length: 2000 }, block);
    for (const b of blocks) owners.disown(owners.own(b));
    for (const b of blocks) owners.own(b);
    for (let i = 0; i < 200 && released.length === 0; i++) {
      // Garbage, until the collector runs.
      Array.from({ length: 100 }, () => new Float64Array(1e5));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(released.length).toBeGreaterThan(0);
    expect(new Set(released).size).toBe(released.length);
  });
});
