import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const program = fileURLToPath(new URL("fixtures/program.ts", import.meta.url));
const run = (how: string, env: Record<string, string> = {}) => spawnSync(process.execPath, ["--import", "tsx", program, how], { encoding: "utf8", timeout: 50_000, env: { ...process.env, ...env } });

it.each([["end", 0], ["throw", 1], ["reject", 1], ["exit", 7]] as const)("a process with waiting workers ends: %s", (how, code) => {
  const { status, signal, stdout, stderr } = run(how);
  expect({ status, signal, stdout }).toEqual({ status: code, signal: null, stdout: "summed\n" });
  expect(stderr.includes("on purpose")).toBe(code === 1);
});

it("HESSIA_THREADS that is no number of threads is refused by name", () => {
  const { status, stderr } = run("end", { HESSIA_THREADS: "many" });
  expect(status).toBe(1);
  expect(stderr).toContain('[hessia:argument] HESSIA_THREADS(environment): expected "auto" or a whole number from 1 to 64, got "many"');
});
