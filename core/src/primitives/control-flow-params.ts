import type { Program } from "../ir/program.js";

/** Inputs: an int32 index, then the operands of every branch. */
export interface CondParams { readonly branches: readonly Program[] }

/** Inputs: `constants` values, `carry` initial values, then arrays whose leading axis is walked. Outputs: final carry, stacked results. */
export interface ScanParams { readonly program: Program; readonly constants: number; readonly carry: number; readonly length: number; readonly reverse: boolean }

/** Inputs: constants of the condition, constants of the body, initial carry. `condition(constants, carry)` gives a bool, `body` the next carry. */
export interface WhileParams { readonly condition: Program; readonly body: Program; readonly conditionConstants: number; readonly bodyConstants: number }
