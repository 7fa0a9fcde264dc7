export { grad, valueAndGrad, type GradOptions } from "./grad.js";
export { jvp, type TangentLike, type TangentOf } from "./jvp.js";
export { linearize, linearizeWithAux, linearTranspose, vjp, vjpWithAux, type Pullback, type Pushforward } from "./vjp.js";
export type { Argnums } from "./arguments.js";
