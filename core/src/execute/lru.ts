/** Bounded cache that forgets what was used longest ago. */
export class LruCache<K, V> {
  readonly #map = new Map<K, V>();
  hits = 0;
  misses = 0;
  constructor(readonly capacity: number, readonly onEvict?: (value: V) => void) {}
  get size(): number { return this.#map.size; }
  get(key: K): V | undefined {
    const value = this.#map.get(key);
    if (value === undefined) {
      this.misses++;
      return undefined;
    }
    this.hits++;
    this.#map.delete(key);
    this.#map.set(key, value);
    return value;
  }
  set(key: K, value: V): void {
    this.#map.set(key, value);
    if (this.#map.size > this.capacity) {
      const [oldest, old] = this.#map.entries().next().value!;
      this.#map.delete(oldest);
      this.onEvict?.(old);
    }
  }
  clear(): void {
    if (this.onEvict) for (const v of this.#map.values()) this.onEvict(v);
    this.#map.clear();
  }
}
