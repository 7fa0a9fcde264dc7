import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { long } from "../everyday.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const child = fileURLToPath(new URL("child.ts", import.meta.url));

interface Measured { readonly start: number; readonly peak: number; readonly [key: string]: unknown }

/** Runs a workload in a process of its own: the resident memory of this one holds the whole test run. */
async function measure(workload: string, count: number): Promise<Measured> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", child, workload, String(count)], { cwd: root, timeout: 3_600_000 });
  const result = JSON.parse(stdout.trim().split("\n").at(-1)!) as Measured;
  console.log(`memory, ${workload} × ${count}: ${Math.round(result.start)} MB at the start, ${Math.round(result.peak)} MB at most`);
  return result;
}
const limit = long ? 3_600_000 : 60_000;

/** The bars of the design are 10^6 eager operations and 10^5 steps under 1 GB: those run under `npm run fuzz -- --long`, a part of them every day. */
describe("resident memory in one synchronous loop", () => {
  it("of eager operations on 10^4 elements", async () => {
    const { peak, value } = await measure("eager", long ? 1_000_000 : 40_000);
    expect(peak).toBeLessThan(1000);
    expect(value).toBeGreaterThan(0.9);
  }, limit);
  it("of operations whose results are read", async () => expect((await measure("reads", long ? 300_000 : 15_000)).peak).toBeLessThan(1000), limit);
  it("of jitted steps over 10 MB of parameters", async () => {
    const count = long ? 100_000 : 300;
    const { peak, value } = await measure("steps", count);
    expect(peak).toBeLessThan(1000);
    expect(value).toBeCloseTo(-1e-3 * count, long ? -1 : 3);
  }, limit);
  it("of steps that donate their parameters", async () => {
    const { peak, live } = await measure("donated", long ? 100_000 : 300);
    expect(peak).toBeLessThan(400);
    expect(live).toBeLessThan(60);
  }, limit);
});

describe("memory that does not grow", () => {
  it("with the square of the parameters in hvp", async () => {
    // 20000^2 float64 are 3.2 GB.
    const { start, peak } = await measure("hvp", 20_000);
    expect(peak - start).toBeLessThan(400);
  }, limit);
  it("with the number of shapes seen", async () => {
    const { peak, size, growth } = await measure("shapes", long ? 10_000 : 800);
    expect(size).toBeLessThanOrEqual(256);
    expect(peak).toBeLessThan(1000);
    if (long) expect(growth).toBeLessThan(150);
  }, limit);
});
