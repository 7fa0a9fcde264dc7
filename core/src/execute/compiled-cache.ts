import { identityId } from "../base/structural-key.js";
import type { Backend } from "../backends/backend.js";
import { type Aval, formatAval, typesMatch } from "../ir/aval.js";
import { paramsEqual, paramsKey } from "../ir/params-key.js";
import type { Params } from "../ir/primitive.js";
import type { Compiled } from "./compile.js";
import { LruCache, RecentSlots } from "./lru.js";

interface Entry {
  readonly params: Params;
  readonly backend: Backend;
  readonly types: readonly Aval[];
  readonly compiled: Compiled;
}

/**
 * Compiled Programs by owner (a primitive, the name of a composite), params, types and device. To make a key of text costs more than a
 * small program runs, so the owner's last uses are compared first.
 */
export class CompiledCache<O> {
  readonly #all: LruCache<string, Entry>;
  readonly #recent = new Map<O, RecentSlots<string, Entry>>();

  /** @param ownerKey tells owners apart. */
  constructor(capacity: number, readonly ownerKey: (owner: O) => string) {
    this.#all = new LruCache(capacity, (e) => e.compiled.executable.dispose());
  }

  get(owner: O, params: Params, backend: Backend, arrays: readonly { readonly aval: Aval }[]): Compiled | undefined {
    const recent = this.#recent.get(owner);
    if (recent)
      for (const slot of recent.list) {
        const e = slot.value;
        if (!slot.kept || e.backend !== backend || !typesMatch(e.types, arrays) || !paramsEqual(e.params, params)) continue;
        this.#all.touch(slot);
        return e.compiled;
      }
    const slot = this.#all.find(this.#key(owner, params, backend, arrays));
    if (slot) this.#recentOf(owner).add(slot);
    return slot?.value.compiled;
  }

  set(owner: O, params: Params, backend: Backend, arrays: readonly { readonly aval: Aval }[], compiled: Compiled): void {
    const slot = this.#all.set(this.#key(owner, params, backend, arrays), { params, backend, types: arrays.map((x) => x.aval), compiled });
    this.#recentOf(owner).add(slot);
  }

  #recentOf(owner: O): RecentSlots<string, Entry> {
    let recent = this.#recent.get(owner);
    if (!recent) {
      // Names of composites may be without number: no more lists are kept than compiled forms.
      if (this.#recent.size >= this.#all.capacity) this.#recent.clear();
      this.#recent.set(owner, (recent = new RecentSlots()));
    }
    return recent;
  }

  #key(owner: O, params: Params, backend: Backend, arrays: readonly { readonly aval: Aval }[]): string {
    let key = `${identityId(backend)} ${this.ownerKey(owner)} ${paramsKey(params)}`;
    for (const x of arrays) key += ` ${formatAval(x.aval)}`;
    return key;
  }

  stats(): { size: number; hits: number; misses: number } {
    return { size: this.#all.size, hits: this.#all.hits, misses: this.#all.misses };
  }
}
