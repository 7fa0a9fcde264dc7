import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Reporter, TestCase, TestModule } from "vitest/node";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A skip that the house accepts: the test's name as `file > suite > test` (or a prefix of it), and why. */
interface AllowedSkip {
  readonly test: string;
  readonly reason: string;
}

const nameOf = (test: TestCase) => `${relative(root, test.module.moduleId).replaceAll("\\", "/")} > ${test.fullName}`;

/**
 * Names every skipped test after the run. Where coverage was promised (HESSIA_REQUIRE or CI is set), a skip that
 * `allowed-skips.json` does not name fails the run: a test that skips itself quietly is how a backend rots.
 */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests("skipped")]);
    if (skipped.length === 0) return;
    const allowed = JSON.parse(readFileSync(new URL("allowed-skips.json", import.meta.url), "utf8")) as AllowedSkip[];
    const enforced = Boolean(process.env["HESSIA_REQUIRE"] || process.env["CI"]);
    const unnamed: string[] = [];
    console.log(`\nSkipped tests (${skipped.length}):`);
    for (const test of skipped) {
      const name = nameOf(test);
      const entry = allowed.find((skip) => name === skip.test || name.startsWith(`${skip.test} > `));
      const result = test.result();
      const note = entry?.reason ?? (result.state === "skipped" ? result.note : undefined) ?? "no reason given";
      console.log(`  ${entry ? "allowed" : "UNNAMED"}  ${name}: ${note}`);
      if (!entry) unnamed.push(name);
    }
    if (enforced && unnamed.length > 0) {
      console.error(`\n${unnamed.length} skipped test(s) are not named in .ci/allowed-skips.json: the run fails.`);
      process.exitCode = 1;
    }
  }
}
