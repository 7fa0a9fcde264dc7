import { type NDArray, np } from "@hessia/core";
import { type AnyPrimitive, primitiveByName } from "@hessia/core/extend";
import { realInput, type Sample } from "@hessia/core/testing";
import { checkpoint, customJvp, customVjp } from "@hessia/autodiff";
import { sampleFromProgram } from "./from-program.js";

/** How the laws try the calls by which autodiff carries custom rules and checkpoints through Programs. */
export function autodiffSamples(): [AnyPrimitive, Sample[]][] {
  const jvpRuled = customJvp((x: NDArray, y: NDArray) => np.multiply(np.exp(x), y));
  jvpRuled.defJvp(([x, y], [dx, dy]) => [np.multiply(np.exp(x), y), np.multiply(np.exp(x), np.add(np.multiply(y, dx), dy))]);
  const vjpRuled = customVjp((x: NDArray, y: NDArray) => np.multiply(np.exp(x), y));
  vjpRuled.defVjp((x, y) => [np.multiply(np.exp(x), y), [x, y]], ([x, y], ct) => [np.multiply(ct, np.multiply(np.exp(x), y)), np.multiply(ct, np.exp(x))]);
  const kept = checkpoint((x: NDArray, y: NDArray) => np.multiply(np.tanh(x), np.sin(y)));
  const row = (name: string, f: (x: NDArray, y: NDArray) => NDArray): [AnyPrimitive, Sample[]] => {
    const primitive = primitiveByName(name)!;
    return [primitive, [sampleFromProgram(primitive, f, [realInput([3]), realInput([3])], [np.ones([3]), np.ones([3])])]];
  };
  return [
    row("customJvpCall", jvpRuled),
    row("customVjpCall", vjpRuled),
    row("checkpoint", kept),
    // Lives only inside the linear Programs that customVjpCall leaves: known by its transpose, it cannot be evaluated. The laws reach it there.
    [primitiveByName("customVjpLinear")!, []],
  ];
}
