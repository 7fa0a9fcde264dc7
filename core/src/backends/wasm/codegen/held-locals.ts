import type { Bound, Expr } from "../../../kernel/expr.js";
import type { FunctionBuilder, Local } from "../assembler/index.js";

export type Key = Expr | Bound;

/** Which of a value's forms a local holds: one lane, the same in all lanes, or a vector; and of which of the vectors side by side. */
export interface Slot {
  readonly kind: "scalar" | "splat" | "vector";
  readonly copy: number;
}

interface Scope {
  /** By copy. */
  readonly scalar: Map<Key, Local>[];
  readonly splat: Map<Key, Local>[];
  readonly vector: Map<Key, Local>[];
  readonly owned: Local[];
}

const emptyScope = (): Scope => ({ scalar: [], splat: [], vector: [], owned: [] });

/** Values held in locals, by the blocks of code in which they are known. */
export class HeldLocals {
  private readonly scopes: Scope[] = [emptyScope()];

  constructor(private readonly f: FunctionBuilder) {}

  /** What is given within is released behind it. */
  inScope(body: () => void): void {
    const scope = emptyScope();
    this.scopes.push(scope);
    body();
    this.scopes.pop();
    for (const l of scope.owned) this.f.release(l);
  }

  /** Gives the current scope a local. */
  give(key: Key, { kind, copy }: Slot, local: Local): void {
    const scope = this.scopes.at(-1)!;
    scope.owned.push(local);
    (scope[kind][copy] ??= new Map()).set(key, local);
  }

  find(key: Key, { kind, copy }: Slot): Local | undefined {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const local = this.scopes[i]![kind][copy]?.get(key);
      if (local !== undefined) return local;
    }
    return undefined;
  }
}
