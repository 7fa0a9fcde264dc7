export { grad, valueAndGrad, type GradOptions } from "./grad.js";
export { jvp, type TangentLike, type TangentOf } from "./jvp.js";
export { linearize, linearizeWithAux, linearTranspose, vjp, vjpWithAux, type Pullback, type Pushforward } from "./vjp.js";
export type { Argnums } from "./arguments.js";
export { hessian, jacfwd, jacobian, jacrev, type JacobianOf, type JacobianOptions } from "./jacobian.js";
export { directionalSecond, ggnvp, hessianDiag, hvp, hvpFn, vhp, type HessianProduct, type HvpMode, type HvpOptions } from "./hvp.js";
export { stopGradient } from "./stop-gradient.js";
export { ravelPytree } from "./ravel-pytree.js";
