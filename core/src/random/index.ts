/** Random keys and draws; every bit as in JAX. */
export { clone, foldIn, type Key, key, keyData, split, wrapKeyData } from "./keys.js";
export { bernoulli, bits, rademacher, randint, uniform, type UniformOptions } from "./uniform.js";
export { lognormal, normal, truncatedNormal } from "./normal.js";
export { cauchy, exponential, gumbel, type GumbelMode, laplace, logistic, maxwell, pareto, rayleigh, triangular, wald, weibullMin } from "./continuous.js";
export { ball, beta, chisquare, dirichlet, f, gamma, generalizedNormal, loggamma, t } from "./gamma.js";
export { categorical, type CategoricalOptions, geometric, poisson } from "./discrete.js";
export { choice, type ChoiceOptions, permutation, type PermutationOptions } from "./permutation.js";
export type { FloatOptions, IntegerOptions } from "./options.js";
