import type { Local } from "../../assembler/index.js";

/** The code of one accumulator of a nest, from before its loops to after them. */
export interface Reducer {
  /**
   * Sets the running results, one for each of the vectors side by side.
   * @param remainder whether scalars are left over behind vectors.
   */
  begin(copies: number, remainder: boolean): void;
  /** Takes in the value at the current indices; the vector is that of `values.copy`. */
  update(): void;
  /** Ends a block of partial sums. */
  fold(): void;
  /** After the loops: locals of the results by copy, vectors only if lanes hold results of their own. */
  finish(): Local[];
}
