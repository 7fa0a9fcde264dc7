import { binaryPrimitives } from "./binary.js";
import { callPrimitives } from "./call.js";
import { controlFlowPrimitives } from "./control-flow.js";
import { convolutionPrimitives } from "./convolution.js";
import { cumulativePrimitives } from "./cumulative.js";
import { dotPrimitives } from "./dot.js";
import { indexingPrimitives } from "./indexing.js";
import { randomPrimitives } from "./random.js";
import { reductionPrimitives } from "./reductions.js";
import { sortPrimitives } from "./sort.js";
import { structuralPrimitives } from "./structural.js";
import { typePrimitives } from "./types.js";
import { unaryPrimitives } from "./unary.js";

/** Every primitive of core, by family. `autodiff` maps over these types: a primitive without a derivative rule does not compile. */
export const primitiveFamilies = {
  unary: unaryPrimitives, binary: binaryPrimitives, types: typePrimitives, structural: structuralPrimitives, reductions: reductionPrimitives,
  cumulative: cumulativePrimitives, sort: sortPrimitives, dot: dotPrimitives, convolution: convolutionPrimitives, indexing: indexingPrimitives,
  random: randomPrimitives, call: callPrimitives, controlFlow: controlFlowPrimitives,
} as const;
