import type { RoutineGenerator } from "./contract.js";
import { matmul } from "./matmul.js";

/** Routines that have WebAssembly code; all others call their reference, in place. */
export const wasmRoutines: ReadonlyMap<string, RoutineGenerator> = new Map<string, RoutineGenerator>([["matmul", matmul]]);
