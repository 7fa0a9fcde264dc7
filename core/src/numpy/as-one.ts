import { ConcreteArray } from "../array/concrete.js";
import { type ArrayLike, type NDArray } from "../array/ndarray.js";
import { eagerTrace } from "../trace/eager.js";
import { currentTrace } from "../trace/trace.js";
import { fusedAll } from "./fused.js";

/** Longer lists are data, not settings. */
const longestList = 16;

/** Text equal for equal settings; undefined where one is no plain value. */
function settingsText(settings: readonly unknown[]): string | undefined {
  let text = "";
  for (const s of settings) {
    if (typeof s === "number") text += Object.is(s, -0) ? " -0" : ` ${s}`;
    else if (typeof s === "string") text += ` ${JSON.stringify(s)}`;
    else if (s === undefined || s === null || typeof s === "boolean") text += ` ${s}`;
    else {
      const inner = Array.isArray(s) ? (s.length <= longestList ? settingsText(s) : undefined) : typeof s === "object" && Object.getPrototypeOf(s) === Object.prototype ? settingsText(Object.entries(s).flat()) : undefined;
      if (inner === undefined) return undefined;
      text += Array.isArray(s) ? ` [${inner}]` : ` {${inner}}`;
    }
  }
  return text;
}

/**
 * A composite of array functions with settings, as one compiled Program where nothing is traced: its steps leave no temporary arrays, and an eager
 * call costs one entry into compiled code. `f` depends on nothing but the arrays and the settings. Lists in place of arrays, and settings that hold
 * arrays, are not compiled for.
 */
export function asOne(fn: string, arrays: readonly ArrayLike[], settings: readonly unknown[], f: (...xs: ArrayLike[]) => NDArray): NDArray {
  return allAsOne(fn, arrays, settings, (...xs) => [f(...xs)])[0]!;
}

/** `asOne` for a list of results. */
export function allAsOne(fn: string, arrays: readonly ArrayLike[], settings: readonly unknown[], f: (...xs: ArrayLike[]) => readonly NDArray[]): NDArray[] {
  // The steps themselves name an argument that is gone.
  if (currentTrace() === eagerTrace && arrays.every((x) => x instanceof ConcreteArray && !x.isDisposed)) {
    const key = settingsText(settings);
    if (key !== undefined) return fusedAll(`${fn} of${key}`, arrays as readonly NDArray[], f);
  }
  return [...f(...arrays)];
}
