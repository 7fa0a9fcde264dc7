// What is published: folders, names and entry points, read from the package.json files themselves.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** @type {{folder: string, path: string, name: string, manifest: any, entries: {subpath: string, stem: string, types: string}[]}[]} */
export const published = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  .workspaces.map((folder) => ({ folder, path: join(root, folder), manifest: JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) }))
  .filter(({ manifest }) => !manifest.private)
  .map(({ folder, path, manifest }) => ({
    folder,
    path,
    manifest,
    name: manifest.name,
    entries: Object.entries(manifest.exports)
      .filter(([, target]) => typeof target === "object")
      .map(([subpath, target]) => ({ subpath, stem: subpath === "." ? folder : `${folder}-${subpath.slice(2)}`, types: join(path, target.types) })),
  }));

/** Names the entry points that were not built and ends the process, so that no check passes on nothing. */
export function requireBuilt() {
  const missing = published.flatMap((p) => p.entries.filter((entry) => !existsSync(entry.types)).map((entry) => `${p.name} ${entry.subpath}`));
  if (missing.length === 0) return;
  console.error(`Not built: ${missing.join(", ")}.`);
  process.exit(1);
}
