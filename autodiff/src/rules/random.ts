import type { primitiveFamilies } from "@hessia/core/extend";
import { type DerivativeRules, nonDifferentiable } from "../derivative.js";

export const randomRules: DerivativeRules<typeof primitiveFamilies.random> = { threefry2x32: nonDifferentiable("random bits are integers") };
