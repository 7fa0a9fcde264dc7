import type { FunctionBuilder } from "../assembler/index.js";

/** Emits code that runs one of several bodies: indices below 0 take the first, those beyond the end the last, which is the default. */
export function emitBranch(f: FunctionBuilder, pushIndexAddress: () => void, bodies: readonly (() => void)[]): void {
  const last = bodies.length - 1;
  const i = f.local("i32");
  pushIndexAddress();
  f.memory("i32.load").set(i);
  f.get(i).i32(0).get(i).i32(0).op("i32.gt_s").op("select").set(i);
  f.block((out) => {
    const nest = (k: number): void => {
      if (k > last) {
        f.get(i).brTable(labels.slice().reverse().slice(0, last), labels[0]!);
        return;
      }
      f.block((label) => {
        labels.push(label);
        nest(k + 1);
      });
      // Label k leads here, to the code of branch `last - k`.
      bodies[last - k]!();
      f.br(out);
    };
    const labels: { readonly depth: number }[] = [];
    nest(0);
  });
  f.release(i);
}
