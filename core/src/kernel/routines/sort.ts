import { RadixOrder } from "../radix-order.js";
import { defineRoutine } from "../routine.js";

/** Arrays `[outer, length, inner]`, sorted along the second axis by the first `keys` of them. */
export interface SortRoutineParams { readonly outer: number; readonly length: number; readonly inner: number; readonly keys: number }

export const sortRoutine = defineRoutine<SortRoutineParams>({
  name: "sort",
  reference(inputs, outputs, { outer, length, inner, keys }) {
    const radix = new RadixOrder(length);
    const { order } = radix;
    const by = inputs.slice(0, keys);
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        const start = o * length * inner + i;
        radix.sort(by, start, inner);
        inputs.forEach(({ data }, q) => {
          const to = outputs[q]!.data;
          for (let k = 0; k < length; k++) to[start + k * inner] = data[start + order[k]! * inner]!;
        });
      }
  },
});
