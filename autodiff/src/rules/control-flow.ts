import type { primitiveFamilies } from "@hessia/core/extend";
import type { DerivativeRules } from "../derivative.js";
import { condRule } from "./cond.js";
import { scanRule } from "./scan.js";
import { whileRule } from "./while.js";

export const controlFlowRules: DerivativeRules<typeof primitiveFamilies.controlFlow> = { cond: condRule, scan: scanRule, while: whileRule };
