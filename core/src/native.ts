import "./install.js";

export * from "./backends/wasm/native/index.js";
export type { Routine } from "./kernel/routine.js";
