import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

interface Changes {
  packagesNamed(changeset: string): string[];
  comparisonBase(cwd: string): { commit: string | undefined; onMain: boolean };
  unannouncedChanges(cwd: string): { base: string | undefined; unannounced: string[]; notice: string | undefined };
}
const { packagesNamed, comparisonBase, unannouncedChanges } = (await import(new URL("changes.mjs", import.meta.url).href)) as Changes;

describe("an API report that changes needs a changeset", () => {
  let folder: string;
  const git = (...args: string[]) => execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], { cwd: folder, encoding: "utf8" });
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const commit = () => {
    git("add", "-A");
    git("commit", "-qm", "change");
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hessia-changes-"));
    git("init", "-q", "-b", "main");
    write("core/api/core.api.md", "export const a: number;");
    write(".changeset/README.md", "Read me.");
    commit();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("says that it compared nothing when there is no earlier commit", () => {
    expect(unannouncedChanges(folder)).toMatchObject({ unannounced: [], notice: expect.stringContaining("not compared") as string });
  });
  it("compares a branch with the commit where it left main", () => {
    const start = git("rev-parse", "HEAD").trim();
    git("checkout", "-qb", "topic");
    write("core/src/a.ts", "1");
    commit();
    write("core/src/a.ts", "2");
    commit();
    expect(comparisonBase(folder)).toEqual({ commit: start, onMain: false });
    expect(unannouncedChanges(folder).unannounced).toEqual([]);
  });
  it("names the package whose report changed in silence, committed or not", () => {
    git("checkout", "-qb", "topic");
    write("optim/api/optim.api.md", "export const sgd: number;");
    commit();
    write("core/api/core.api.md", "export const a: string;");
    expect(unannouncedChanges(folder).unannounced).toEqual(["@hessia/core", "@hessia/optim"]);
  });
  it("is content with a changeset that names the package, and with no other", () => {
    git("checkout", "-qb", "topic");
    write("core/api/core.api.md", "export const a: string;");
    write(".changeset/sharp-cats.md", `---\n"@hessia/optim": minor\n---\n\nText.\n`);
    commit();
    expect(unannouncedChanges(folder).unannounced).toEqual(["@hessia/core"]);
    write(".changeset/soft-dogs.md", `---\n'@hessia/core': patch\n---\n\nText.\n`);
    expect(unannouncedChanges(folder).unannounced).toEqual([]);
  });
  it("compares main with the commit before, and counts every waiting changeset", () => {
    write("core/api/core.api.md", "export const a: string;");
    commit();
    expect(unannouncedChanges(folder).unannounced).toEqual(["@hessia/core"]);
    write(".changeset/soft-dogs.md", `---\n"@hessia/core": patch\n---\n\nText.\n`);
    commit();
    write("core/api/core.api.md", "export const a: boolean;");
    commit();
    expect(unannouncedChanges(folder).unannounced).toEqual([]);
  });
  it("lets a release use its changesets up", () => {
    write(".changeset/sharp-cats.md", `---\n"@hessia/core": minor\n---\n\nText.\n`);
    commit();
    rmSync(join(folder, ".changeset/sharp-cats.md"));
    write("core/CHANGELOG.md", "# 0.1.0");
    write("core/api/core.api.md", "export const a: string;");
    expect(unannouncedChanges(folder).unannounced).toEqual([]);
  });
  it("reads package names in either quotes and skips the text", () => {
    expect(packagesNamed(`---\n"@hessia/core": minor\n'@hessia/nn': patch\n---\n\n"@hessia/optim": major\n`)).toEqual(["@hessia/core", "@hessia/nn"]);
  });
});
