import type { Bound, Expr } from "../../../../kernel/expr.js";
import type { FunctionBuilder, Local } from "../../assembler/index.js";

export type Key = Expr | Bound;

/** Which of a value's forms a local holds: one lane, the same in all lanes, or a vector; and of which of the vectors side by side. */
export interface Slot {
  readonly kind: "scalar" | "splat" | "vector";
  readonly copy: number;
}

/** A local given to a scope, and what the value had before. */
interface Given {
  readonly among: Map<Key, Local>;
  readonly key: Key;
  readonly local: Local;
  readonly before: Local | undefined;
}

/** Values held in locals, by the blocks of code in which they are known. */
export class HeldLocals {
  /** By copy. */
  private readonly known: Readonly<Record<Slot["kind"], Map<Key, Local>[]>> = { scalar: [], splat: [], vector: [] };
  private scope: Given[] = [];

  constructor(private readonly f: FunctionBuilder) {}

  /** What is given within is forgotten and released behind it. */
  inScope(body: () => void): void {
    const outer = this.scope;
    const own: Given[] = [];
    this.scope = own;
    body();
    this.scope = outer;
    for (let i = own.length - 1; i >= 0; i--) {
      const { among, key, before } = own[i]!;
      if (before === undefined) among.delete(key);
      else among.set(key, before);
    }
    for (const { local } of own) this.f.release(local);
  }

  /** Gives the current scope a local. */
  give(key: Key, { kind, copy }: Slot, local: Local): void {
    const among = (this.known[kind][copy] ??= new Map());
    this.scope.push({ among, key, local, before: among.get(key) });
    among.set(key, local);
  }

  find(key: Key, { kind, copy }: Slot): Local | undefined {
    return this.known[kind][copy]?.get(key);
  }
}
