/** Special functions under SciPy's names, elementwise with broadcasting, differentiable to any order in their real arguments. */
export { i0, i0e, i1, i1e } from "./bessel.js";
export { j0, j1 } from "./bessel-j.js";
export { betainc } from "./betainc.js";
export { beta, betaln, binom, digamma, factorial, gamma, gammainc, gammaincc, gammaln, gammasgn, multigammaln, polygamma, zeta } from "./gamma-functions.js";
export { exp1, expi } from "./exponential-integrals.js";
export { entr, expit, exprel, klDiv, log1mexp, log1pexp, logExpit, logit, logSoftmax, logsumexp, type LogSumExpOptions, relEntr, sinc, softmax, softplus, xlog1py, xlogy } from "./logarithmic.js";
export { erf, erfc, erfinv, logNdtr, ndtr, ndtri } from "./normal-functions.js";
