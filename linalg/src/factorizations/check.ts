import { LinAlgError, type NDArray, np } from "@hessia/core";
import { ConcreteArray } from "@hessia/core/extend";
import { asOne } from "./as-one.js";

const allFinite = asOne((x: NDArray) => np.all(np.isfinite(x)));

/** Outside of transforms a breakdown is an error; inside, where no value is known, it is NaN. */
export function checkResult(fn: string, result: NDArray, expected: string, got: string, fix: string): void {
  if (!(result instanceof ConcreteArray) || result.backend.readSync === undefined || result.size === 0) return;
  if (!allFinite(result).item()) throw new LinAlgError({ fn, arg: "a", expected, got, fix: `${fix} ({ checkFinite: false } gives NaN instead)` });
}
