/** A place in an `LruCache`. Who keeps it finds its value without the key, and tells the cache of the use by `touch`. */
export interface Slot<K, V> {
  readonly key: K;
  readonly value: V;
  /** False once it was forgotten. */
  kept: boolean;
  newer: Slot<K, V> | undefined;
  older: Slot<K, V> | undefined;
}

/** Bounded cache that forgets what was used longest ago. */
export class LruCache<K, V> {
  readonly #map = new Map<K, Slot<K, V>>();
  #newest: Slot<K, V> | undefined;
  #oldest: Slot<K, V> | undefined;
  hits = 0;
  misses = 0;
  constructor(readonly capacity: number, readonly onEvict?: (value: V) => void) {}
  get size(): number { return this.#map.size; }

  get(key: K): V | undefined { return this.find(key)?.value; }

  find(key: K): Slot<K, V> | undefined {
    const slot = this.#map.get(key);
    if (slot === undefined) this.misses++;
    else this.touch(slot);
    return slot;
  }

  /** Counts a use of a slot that is kept. */
  touch(slot: Slot<K, V>): void {
    this.hits++;
    if (slot === this.#newest) return;
    this.#unlink(slot);
    this.#link(slot);
  }

  set(key: K, value: V): Slot<K, V> {
    const replaced = this.#map.get(key);
    if (replaced) this.#forget(replaced);
    const slot: Slot<K, V> = { key, value, kept: true, newer: undefined, older: undefined };
    this.#map.set(key, slot);
    this.#link(slot);
    if (this.#map.size > this.capacity) this.#forget(this.#oldest!);
    return slot;
  }

  clear(): void {
    while (this.#oldest) this.#forget(this.#oldest);
  }

  #forget(slot: Slot<K, V>): void {
    slot.kept = false;
    this.#map.delete(slot.key);
    this.#unlink(slot);
    this.onEvict?.(slot.value);
  }
  #link(slot: Slot<K, V>): void {
    slot.older = this.#newest;
    if (this.#newest) this.#newest.newer = slot;
    else this.#oldest = slot;
    this.#newest = slot;
  }
  #unlink(slot: Slot<K, V>): void {
    if (slot.newer) slot.newer.older = slot.older;
    else this.#newest = slot.older;
    if (slot.older) slot.older.newer = slot.newer;
    else this.#oldest = slot.newer;
    slot.newer = slot.older = undefined;
  }
}

/** The few slots used last, newest first: looked through before a key is made. */
export class RecentSlots<K, V> {
  readonly list: Slot<K, V>[] = [];
  constructor(readonly capacity = 4) {}

  add(slot: Slot<K, V>): void {
    this.list.unshift(slot);
    for (let i = 1; i < this.list.length; i++) if (!this.list[i]!.kept || this.list[i] === slot) this.list.splice(i--, 1);
    if (this.list.length > this.capacity) this.list.pop();
  }
}
