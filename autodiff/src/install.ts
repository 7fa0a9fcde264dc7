import { primitiveFamilies } from "@hessia/core/extend";
import { defineDerivatives } from "./derivative.js";
import { binaryRules } from "./rules/binary.js";
import { callRules } from "./rules/call.js";
import { controlFlowRules } from "./rules/control-flow.js";
import { convolutionRules } from "./rules/convolution.js";
import { cumulativeRules } from "./rules/cumulative.js";
import { dotRules } from "./rules/dot.js";
import { indexingRules } from "./rules/indexing.js";
import { randomRules } from "./rules/random.js";
import { reductionRules } from "./rules/reductions.js";
import { sortRules } from "./rules/sort.js";
import { structuralRules } from "./rules/structural.js";
import { typeRules } from "./rules/types.js";
import { unaryRules } from "./rules/unary.js";

let installed = false;

/** Fills the derivative slots of core's primitives. Called by the modules that define the transforms, so that no bundler drops it. */
export function installDerivatives(): void {
  if (installed) return;
  installed = true;
  defineDerivatives(primitiveFamilies.unary, unaryRules);
  defineDerivatives(primitiveFamilies.binary, binaryRules);
  defineDerivatives(primitiveFamilies.types, typeRules);
  defineDerivatives(primitiveFamilies.structural, structuralRules);
  defineDerivatives(primitiveFamilies.reductions, reductionRules);
  defineDerivatives(primitiveFamilies.cumulative, cumulativeRules);
  defineDerivatives(primitiveFamilies.sort, sortRules);
  defineDerivatives(primitiveFamilies.dot, dotRules);
  defineDerivatives(primitiveFamilies.convolution, convolutionRules);
  defineDerivatives(primitiveFamilies.indexing, indexingRules);
  defineDerivatives(primitiveFamilies.random, randomRules);
  defineDerivatives(primitiveFamilies.call, callRules);
  defineDerivatives(primitiveFamilies.controlFlow, controlFlowRules);
}
