export { boolInput, distinctInput, drawInputs, fixedInput, intInput, realInput, samples, samplesOf, seededRandom, type Sample, type SampleInput } from "./testing/samples.js";
export { installCoreSamples } from "./testing/core-samples.js";
