// Turns waiting changesets into versions and changelogs: `npm run version-packages`.
// Our packages are peers of each other, so that npm refuses two copies of core at install time. Changesets makes a release
// a major one when a peer leaves its range, which below 1.0 every minor step does; so the ranges are opened for the
// moment of counting and closed again on the new version.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { published, root } from "./packages.mjs";

function setPeers(range) {
  for (const { path } of published) {
    const file = join(path, "package.json");
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    for (const name of Object.keys(manifest.peerDependencies ?? {})) {
      if (name.startsWith("@hessia/")) manifest.peerDependencies[name] = range(manifest);
    }
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

function run(command, ...args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" && command === "npm" });
  if (status !== 0) process.exitCode = status ?? 1;
  return status === 0;
}

setPeers(() => ">=0");
const counted = run(process.execPath, join(root, "node_modules/@changesets/cli/bin.js"), "version");
// All packages carry one version, so a package's own version is the version of its peers.
setPeers((manifest) => `^${manifest.version}`);
if (counted) run("npm", "install", "--package-lock-only");
