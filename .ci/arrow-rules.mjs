// Who may import whom: the arrows of the house, as rules for dependency-cruiser. `npm run lint` applies them through
// arrows.mjs; arrow-rules.test.ts shows on fixtures that each rule bites. Type-only imports count too: an arrow is an
// arrow in the reader's head.

/**
 * The floors of core/src from the roof down, in the order in which calls descend. Conformance suites see everything.
 * SciPy, random and lax functions use NumPy's conversions and operations; those use transforms and primitives. Binding a
 * primitive meets a trace; the eager trace holds arrays and executes; execution optimizes, lowers and ends in a backend.
 * A floor imports floors below it and the vocabulary.
 */
export const stages = ["testing", "scipy", "random", "lax", "numpy", "transforms", "primitives", "trace", "array", "execute", "optimize", "lower", "backends"];

/** Words that every floor speaks. They import `base` and nothing else. */
export const vocabulary = ["ir", "kernel", "base"];

/** What each package may import of the others, as package to public entry points. Everything else of ours is forbidden. */
export const packages = {
  core: {},
  autodiff: { core: ["index", "extend"] },
  linalg: { core: ["index", "extend", "native"], autodiff: ["index", "extend"] },
  nn: { core: ["index"], autodiff: ["index"] },
  optim: { core: ["index"], autodiff: ["index"], linalg: ["index"] },
  examples: { core: ["index"], autodiff: ["index"], linalg: ["index"], nn: ["index"], optim: ["index"] },
  "property-tests": { core: ["index", "extend", "testing"], autodiff: ["index", "extend"], linalg: ["index"], nn: ["index"], optim: ["index"] },
  docs: { core: ["index", "extend", "native", "testing"], autodiff: ["index", "extend"], linalg: ["index"], nn: ["index"], optim: ["index"] },
  bench: { core: ["index", "extend"], autodiff: ["index"], linalg: ["index"], nn: ["index"], optim: ["index"] },
};

const names = Object.keys(packages).join("|");
const test = "[.]test[.]ts$";
/** The table of accuracies is made from the generated functions themselves, which no public entry shows. */
const innerBench = "^bench/(accuracy|limits)[.]ts$";
/** An example of an extension is the one example that may use the extension API. */
const extensionExample = "^examples/src/custom-";

const entries = (allowed) => Object.entries(allowed).map(([name, files]) => `${name}/src/(${files.join("|")})[.]ts$`);

const packageRules = Object.entries(packages).map(([name, allowed]) => ({
  name: `arrow-${name}`,
  comment:
    Object.keys(allowed).length === 0
      ? `${name} stands at the bottom: it imports no other package of ours.`
      : `${name} imports other packages only through ${Object.entries(allowed).map(([other, files]) => `${other} (${files.join(", ")})`).join(", ")}.`,
  severity: "error",
  from: { path: `^${name}/`, ...(name === "examples" ? { pathNot: extensionExample } : name === "bench" ? { pathNot: innerBench } : {}) },
  to: { path: `^(${names})/`, pathNot: [`^${name}/`, ...entries(allowed).map((entry) => `^${entry}`), ...testingEntry(name)] },
}));

/** Conformance suites are for tests; this opens them to test files by leaving them to the rule `testing-only-in-tests`. */
function testingEntry(name) {
  return name === "core" ? [] : ["^core/src/testing[.]ts$"];
}

const stageRules = stages.slice(1).map((stage, index) => ({
  name: `stage-${stage}`,
  comment: `core/src/${stage} imports floors below it and the vocabulary, never ${stages.slice(0, index + 1).join(", ")}. A connection upwards goes through one explicit slot, filled from above.`,
  severity: "error",
  from: { path: `^core/src/${stage}/`, pathNot: test },
  to: { path: `^core/src/(${stages.slice(0, index + 1).join("|")})/` },
}));

const vocabularyRules = vocabulary.map((word) => ({
  name: `vocabulary-${word}`,
  comment: word === "base" ? "base imports nothing of ours." : `${word} is vocabulary: every floor may import it, so it imports only base.`,
  severity: "error",
  from: { path: `^core/src/${word}/`, pathNot: test },
  to: { path: "^core/src/", pathNot: [`^core/src/${word}/`, "^core/src/base/"] },
}));

/** @type {import("dependency-cruiser").IForbiddenRuleType[]} */
export const forbidden = [
  ...packageRules,
  {
    name: "arrow-custom-example",
    comment: "An example of an extension may use the extension API besides the public one, and nothing else.",
    severity: "error",
    from: { path: extensionExample },
    to: { path: `^(${names})/`, pathNot: ["^examples/", "^(core|autodiff)/src/(index|extend)[.]ts$", "^core/src/native[.]ts$", "^(linalg|nn|optim)/src/index[.]ts$"] },
  },
  {
    name: "testing-only-in-tests",
    comment: "@hessia/core/testing holds conformance suites: programs do not ship them.",
    severity: "error",
    from: { pathNot: [test, "^property-tests/", "^docs/", "^core/"] },
    to: { path: "^core/src/testing[.]ts$" },
  },
  {
    name: "package-by-name",
    comment: "Another package is imported by its name, as a user does; a relative path across the border would make a second copy of it after the build.",
    severity: "error",
    from: { path: `^(${names})/`, pathNot: innerBench },
    to: { path: `^(${names})/`, pathNot: "^$1/", dependencyTypesNot: ["aliased"] },
  },
  {
    name: "self-by-path",
    comment: "Inside a package, files import each other by path: through its own name a package would load twice.",
    severity: "error",
    from: { path: "^(core|autodiff|linalg|nn|optim)/src/", pathNot: test },
    to: { path: "^$1/", dependencyTypes: ["aliased"] },
  },
  {
    name: "entry-points-are-roofs",
    comment: "index.ts, extend.ts, native.ts and testing.ts gather what stands below; nothing below core/src imports them.",
    severity: "error",
    from: { path: "^core/src/[^/]+/", pathNot: test },
    to: { path: "^core/src/[^/]+[.]ts$" },
  },
  {
    name: "known-floor",
    comment: "A new folder of core/src takes its place in the order of .ci/arrow-rules.mjs first.",
    severity: "error",
    from: {},
    to: { path: "^core/src/[^/]+/", pathNot: `^core/src/(${[...stages, ...vocabulary].join("|")})/` },
  },
  ...stageRules,
  ...vocabularyRules,
  {
    name: "no-cycle",
    comment: "No two files import each other, directly or around a corner, types included: such files are one file, or one of them needs a slot.",
    severity: "error",
    from: {},
    to: { circular: true },
  },
  {
    name: "resolvable",
    comment: "Every import leads somewhere; @hessia/core/anything-internal does not. The peers that bench compares with are installed on demand.",
    severity: "error",
    from: { pathNot: "^bench/src/(systems|adapters)/" },
    to: { couldNotResolve: true },
  },
  {
    name: "no-build-output",
    comment: "Sources do not import what a build wrote.",
    severity: "error",
    from: { path: `^(${names})/` },
    to: { path: `^(${names})/dist/` },
  },
  {
    name: "shipped-code-ships-its-needs",
    comment: "Published sources import only what their package.json declares for users.",
    severity: "error",
    from: { path: "^(core|autodiff|linalg|nn|optim)/src/", pathNot: test },
    to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], pathNot: "^(core|autodiff|linalg|nn|optim)/" },
  },
];
