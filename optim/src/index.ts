export { leastSquares, type LeastSquaresOptions, type LeastSquaresResult } from "./least-squares/least-squares.js";
export { minimize, type MinimizeArguments, type MinimizeMethod, type MinimizeOptions } from "./minimize/minimize.js";
export type { OptimizeResult } from "./minimize/result.js";
export type { Derivatives } from "./minimize/problem.js";
export { strongWolfe, type LinePoint, type LineSearchResult, type WolfeOptions } from "./line-search/strong-wolfe.js";
