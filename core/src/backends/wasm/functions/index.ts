import type { FunctionTable } from "./contract.js";

/** The elementary functions that have code of their own. */
export const functionTable: FunctionTable = {};
