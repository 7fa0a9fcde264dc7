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
  it("is a fixed point: reading and writing without news changes nothing", () => {
    const file = mergeSections("", [section("Node 20, 1 thread, --flag", "a", "### A\n\ntext"), section("Node 24, 1 thread", "b", "### B")]);
    expect(mergeSections(file, [])).toBe(file);
  });
});
