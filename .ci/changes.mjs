// Which API reports changed since the main branch, and whether a changeset announces it. Works offline, on what git has.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { published, root } from "./packages.mjs";

function git(cwd, ...args) {
  const result = spawnSync("git", args, { cwd, encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/**
 * The commit to compare with: where this branch left the main branch; on the main branch itself, the commit before the
 * newest one. No commit in a shallow clone of one commit, or outside git.
 */
export function comparisonBase(cwd = root) {
  const head = git(cwd, "rev-parse", "HEAD");
  if (head === undefined) return { commit: undefined, onMain: false };
  for (const branch of ["origin/main", "main"]) {
    const commit = git(cwd, "merge-base", "HEAD", branch);
    if (commit !== undefined && commit !== head) return { commit, onMain: false };
  }
  return { commit: git(cwd, "rev-parse", "--verify", "HEAD~1"), onMain: true };
}

/** Packages named in the front matter of a changeset. */
export function packagesNamed(changeset) {
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(changeset)?.[1] ?? "";
  return [...front.matchAll(/^\s*["']?(@?[\w./-]+)["']?\s*:\s*(major|minor|patch)/gm)].map((match) => match[1]);
}

/**
 * Packages whose API report changed since the base while no changeset names them. On a branch the changeset has to be part of
 * the branch; on the main branch any that waits for its release counts.
 */
export function unannouncedChanges(cwd = root) {
  const { commit: base, onMain } = comparisonBase(cwd);
  if (base === undefined) return { base, unannounced: [], notice: "No earlier commit at hand: changesets were not compared." };
  const tracked = git(cwd, "diff", "--name-only", base) ?? "";
  const untracked = git(cwd, "ls-files", "--others", "--exclude-standard") ?? "";
  const files = `${tracked}\n${untracked}`.split("\n");
  // A release removes the changesets that it uses and raises the version; what they announced is in the changelog.
  const isRelease = files.some((file) => /^[\w-]+\/CHANGELOG[.]md$/.test(file));
  const waiting = onMain ? (git(cwd, "ls-files", ".changeset") ?? "").split("\n") : [];
  const named = new Set(
    [...files, ...waiting]
      .filter((file) => /^[.]changeset\/(?!README)[^/]+[.]md$/.test(file) && existsSync(join(cwd, file)))
      .flatMap((file) => packagesNamed(readFileSync(join(cwd, file), "utf8"))),
  );
  const changed = published.filter((p) => files.some((file) => file.startsWith(`${p.folder}/api/`))).map((p) => p.name);
  return { base: base.slice(0, 10), unannounced: isRelease ? [] : changed.filter((name) => !named.has(name)), notice: undefined };
}
