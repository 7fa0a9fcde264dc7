import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/**
 * Code quality by syntax alone: types are checked by the compiler, imports by .ci/arrow-rules.mjs. Rules that need types
 * would triple the time of the check and find little that the compiler's strict options leave.
 */
export default defineConfig(
  globalIgnores([".scratch/", "**/dist/", "**/node_modules/", "**/fixtures/", "**/.turbo/", "**/coverage/", "temp/"]),
  js.configs.recommended,
  tseslint.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-var": "error",
      "prefer-const": "error",
      "object-shorthand": "error",
      "no-self-compare": "off", // x !== x is the test for NaN
      "no-loss-of-precision": "off", // constants are written to the digits of their source
      "no-throw-literal": "error",
      "no-cond-assign": ["error", "except-parens"],
      "no-constant-condition": ["error", { checkLoops: false }],
      "max-lines": ["warn", { max: 450, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-non-null-assertion": "off", // noUncheckedIndexedAccess makes them the way to say: this index is in range
      "@typescript-eslint/no-empty-object-type": ["error", { allowInterfaces: "with-single-extends" }],
      "@typescript-eslint/ban-ts-comment": ["error", { "ts-expect-error": "allow-with-description" }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_", ignoreRestSiblings: true }],
    },
  },
  {
    // An error that a user may meet is one of core's error classes: a code, what was expected, what came, what to do.
    files: ["{core,autodiff,linalg,nn,optim}/src/**/*.ts"],
    ignores: ["**/*.test.ts"],
    rules: {
      "no-console": "error",
      "no-restricted-syntax": [
        "warn",
        { selector: "ThrowStatement > NewExpression[callee.name='Error']", message: "Throw a class of core's base/errors.ts: code, function, expected, got, fix." },
      ],
    },
  },
  {
    files: ["**/*.mjs", "**/*.js"],
    languageOptions: { globals: Object.fromEntries(["process", "console", "URL", "Buffer", "performance", "setTimeout", "clearTimeout", "fetch", "document", "navigator"].map((name) => [name, "readonly"])) },
  },
);
