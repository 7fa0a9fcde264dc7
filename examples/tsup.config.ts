import { defineConfig } from "tsup";

/** Each source file becomes one module at the same depth, so that `new URL("../data/x.csv", import.meta.url)` means the same in both. */
export default defineConfig({
  entry: ["src/**/*.ts", "!src/**/*.test.ts"],
  format: "esm",
  target: "es2022",
  platform: "node",
  bundle: false,
  sourcemap: true,
  clean: true,
  silent: true,
});
