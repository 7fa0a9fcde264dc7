/** How each system is started. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SystemName } from "./case.js";
import type { Command } from "./system-process.js";

const bench = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export interface Runtime {
  /** The Node that runs the JavaScript systems. */
  readonly node: string;
  readonly nodeFlags: readonly string[];
  readonly python: string | undefined;
  readonly threads: number;
}

const packageOf: Partial<Record<SystemName, string>> = { "jax-js": "@jax-js/jax", tfjs: "@tensorflow/tfjs-backend-wasm", "numpy-ts": "numpy-ts" };

export const isPython = (name: SystemName): boolean => name === "numpy" || name === "jax";

/** Why a system cannot be started here; undefined where it can. */
export function missing(name: SystemName, runtime: Runtime): string | undefined {
  const needed = packageOf[name];
  if (needed !== undefined && !existsSync(bench(`node_modules/${needed}/package.json`))) return `${needed} is not installed: npm run peers`;
  if (!isPython(name)) return undefined;
  if (runtime.python === undefined) return "no Python given: HESSIA_BENCH_PYTHON=path of a Python that has it";
  const found = spawnSync(runtime.python, ["-c", `import ${name}`], { encoding: "utf8" });
  return found.status === 0 ? undefined : `${runtime.python} has no ${name}`;
}

export function commandOf(name: SystemName, runtime: Runtime): Command {
  const { threads } = runtime;
  if (!isPython(name)) return { program: runtime.node, args: [...runtime.nodeFlags, bench(`dist/systems/${name}.js`)], env: { HESSIA_BENCH_THREADS: String(threads) } };
  return {
    program: runtime.python!,
    args: [bench("src/systems/peer.py"), name, String(threads)],
    env: { OPENBLAS_NUM_THREADS: String(threads), OMP_NUM_THREADS: String(threads), JAX_PLATFORMS: "cpu" },
  };
}

/** A fresh process that imports a system, does one thing and prints its times. */
export function startupCommand(name: SystemName, runtime: Runtime): Command {
  if (isPython(name)) return { ...commandOf(name, runtime), args: [bench("src/systems/startup.py"), name] };
  return { program: runtime.node, args: [...runtime.nodeFlags, bench("dist/systems/startup.js"), name], env: {} };
}
