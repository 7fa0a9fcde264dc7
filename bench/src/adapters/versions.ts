import { readFileSync } from "node:fs";

const runtime = { node: process.version, v8: process.versions.v8 };

/** Versions of Node and of an installed peer. */
export function versionsOf(...packages: readonly string[]): Record<string, string> {
  const found = packages.map((name) => {
    const { version } = JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), "utf8")) as { version: string };
    return [name, version] as const;
  });
  return { ...runtime, ...Object.fromEntries(found) };
}

export const threadsAsked = (): number => Number(process.env["HESSIA_BENCH_THREADS"] ?? 1);
