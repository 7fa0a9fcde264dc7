import { referenceBackend } from "./backends/reference/index.js";
import { wasmBackend } from "./backends/wasm/index.js";
import { registerBackend } from "./backends/registry.js";
import { ProgramError } from "./base/errors.js";
import { printProgram } from "./ir/print.js";
import { installProgramPrinter } from "./ir/program.js";
import "./trace/eager.js";

/** Every entry point imports this first: the devices and the trace at the bottom are there whichever is loaded. */
const slot = Symbol.for("hessia.core");
const loaded = globalThis as { [slot]?: string };
const here = import.meta.url;
if (loaded[slot] !== undefined && loaded[slot] !== here)
  throw new ProgramError({ fn: "@hessia/core", expected: "one copy of @hessia/core in the process", got: `two: ${loaded[slot]} and ${here}`, fix: "deduplicate the dependency (npm ls @hessia/core), and do not bundle it into a library" });
loaded[slot] = here;

installProgramPrinter(printProgram);
registerBackend(referenceBackend);
if (typeof WebAssembly !== "undefined") registerBackend(wasmBackend());
