import { describe, expect, it } from "vitest";
import { mergeSections } from "./results-file.js";

const section = (heading: string, task: string, text: string) => ({ heading, task, text });

describe("RESULTS.md", () => {
  it("replaces the sections that were measured again and keeps the others", () => {
    const first = mergeSections("", [section("Node 20, 1 thread", "matmul", "### M\n\n| a |\n\nold"), section("Node 24, 1 thread", "matmul", "### M\n\nother")]);
    const second = mergeSections(first, [section("Node 20, 1 thread", "fused", "### F"), section("Node 20, 1 thread", "matmul", "### M\n\nnew")]);
    expect(second).not.toContain("old");
    expect(second.match(/^## .*$/gm)).toEqual(["## Node 20, 1 thread", "## Node 24, 1 thread"]);
    expect(second.match(/^### .*$/gm)).toEqual(["### M", "### F", "### M"]);
    expect(second).toContain("other");
  });
  it("begins with the bars that were met and those that were missed", () => {
    const table = "| case | ours | bars |\n| --- | --- | --- |\n| n=10 | 1 ms | ✓ 3.0 of ≥ 2.0 × jax; ✗ 1.0 of ≥ 2.0 × best peer |\n| n=20 | 1 ms |  |\n| n=30 | 2 ms | ✓ 9 of ≥ 2.0 × jax |";
    const file = mergeSections("", [section("Node 24, 1 thread", "b", "### B"), section("Node 20, 1 thread", "a", `### A\n\n${table}`)]);
    expect(file).toContain("| Node 20, 1 thread | 2 of 3 | a n=10: 1.0 of ≥ 2.0 × best peer |\n| Node 24, 1 thread | 0 of 0 |  |");
    expect(file.match(/^## .*$/gm)).toEqual(["## Node 20, 1 thread", "## Node 24, 1 thread"]);
  });
  it("is a fixed point: reading and writing without news changes nothing", () => {
    const file = mergeSections("", [section("Node 20, 1 thread, --flag", "a", "### A\n\ntext"), section("Node 24, 1 thread", "b", "### B")]);
    expect(mergeSections(file, [])).toBe(file);
  });
});
