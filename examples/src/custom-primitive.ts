import { jit, type NDArray, np, vmap } from "@hessia/core";
import { batchRule, bind, bind1, definePrimitive, defineRule, lowerRule, type NoParams, type Primitive, scalar } from "@hessia/core/extend";
import { checkGrads, checkHessian, grad, hessian } from "@hessia/autodiff";
import { defineDerivative, elementwise } from "@hessia/autodiff/extend";

/**
 * A primitive from outside, in one file, by the extension API alone: softsign, x / (1 + |x|), with what it does to batches, how it becomes
 * loops, and its derivative. Transforms, compilation and all orders of differentiation follow.
 */
const softsignPrimitive: Primitive<NoParams> = definePrimitive({
  name: "example.softsign",
  elementwise: true,
  domain: [[0.2, 3]],
  abstractEval: ([x]) => x!,
});

// Elementwise: the batch axis stays where it is.
defineRule(softsignPrimitive, batchRule, (_size, [x], [dim]) => ({ outputs: bind(softsignPrimitive, [x!], {}), dims: [dim!] }));

// A scalar expression, fused into whatever loop surrounds it; every backend compiles it.
defineRule(softsignPrimitive, lowerRule, (_ctx, [x]) => {
  const one = scalar.constant(x!.dtype, 1);
  return [{ ...x!, expr: scalar.binary("div", x!.expr, scalar.binary("add", one, scalar.unary("abs", x!.expr))) }];
});

// y' = 1 / (1 + |x|)^2
defineDerivative(softsignPrimitive, elementwise((x) => np.divide(1, np.square(np.add(1, np.abs(x!))))));

export const softsign = (x: NDArray): NDArray => bind1(softsignPrimitive, [x], {});

const x = np.array([-2, -0.5, 0.3, 4]);
const f = (v: NDArray) => np.sum(np.multiply(softsign(v), v));
console.log("softsign       ", softsign(x).toString());
console.log("gradient       ", (grad(f)(x) as NDArray).toString());
console.log("jit(grad)      ", (jit(grad(f))(x) as NDArray).toString());
console.log("vmap           ", vmap(softsign)(np.stack([x, x])).shape);
console.log("Hessian diagonal", np.diagonal(hessian(f)(x) as NDArray).toString());
checkGrads(f, [x], { order: 2 });
checkHessian(f, [x]);
const want = x.toArray() as number[];
(softsign(x).toArray() as number[]).forEach((y, i) => {
  if (Math.abs(y - want[i]! / (1 + Math.abs(want[i]!))) > 1e-15) throw new Error(`softsign is wrong at ${want[i]}`);
});
console.log("first and second derivatives agree with differences");
