import { existsSync } from "node:fs";
import { defineConfig } from "tsup";

/**
 * How every published package is built: ES modules with source maps, one file per public entry point.
 * Entry points of one package share chunks (`splitting`), and other packages of ours stay imports:
 * registries and the trace stack are module state and must exist once in a process.
 * Declarations come from the native compiler (tsconfig.build.json), which is some ten times faster than bundling them.
 */
export const library = (entries: readonly string[]) =>
  defineConfig({
    entry: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`]).filter(([, file]) => existsSync(file!))),
    format: "esm",
    target: "es2022",
    platform: "neutral",
    splitting: true,
    sourcemap: true,
    clean: true,
    silent: true,
    esbuildOptions(options) {
      // `sideEffects: false` speaks to the bundlers of users, about what is in dist/. Obeyed here, it would drop our own `import "./install.js"`.
      options.ignoreAnnotations = true;
    },
    external: [/^node:/, /^@hessia\//, "webgpu"],
  });
