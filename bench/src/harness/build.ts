import { build } from "esbuild";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/**
 * Compiles the programs of `systems/` for a plain Node, so that nothing but the system itself is in the measured process. Packages stay
 * imports: ours are found in the workspace and lead to `dist/`, as for any user.
 */
export async function buildSystems(): Promise<void> {
  const folder = at("src/systems");
  await build({
    entryPoints: readdirSync(folder).filter((file) => file.endsWith(".ts")).map((file) => `${folder}/${file}`),
    outdir: at("dist/systems"),
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "es2022",
    logLevel: "warning",
    tsconfigRaw: {}, // the paths of the workspace's tsconfig lead to sources
  });
}
