const ids = new WeakMap<object, number>();
let nextId = 0;

/** A number for an object or function, the same each time. */
export function identityId(x: object): number {
  let id = ids.get(x);
  if (id === undefined) ids.set(x, (id = nextId++));
  return id;
}

/**
 * Text that is equal for equal settings: numbers, strings, booleans, null, and arrays, plain objects, Maps, Sets, Dates and typed arrays
 * of them by content; functions, symbols' descriptions and instances of other classes by identity. `leaf` may give the text of a value
 * itself, or throw for what has no place in settings.
 */
export function structuralKey(value: unknown, leaf?: (value: object) => string | undefined): string {
  const open = new Set<object>();
  const go = (v: unknown): string => {
    switch (typeof v) {
      case "string": return JSON.stringify(v);
      case "number": return Object.is(v, -0) ? "-0" : String(v);
      case "bigint": return `${v}n`;
      case "function": return `fn${identityId(v)}`;
      case "object": break;
      default: return String(v);
    }
    if (v === null) return "null";
    const own = leaf?.(v);
    if (own !== undefined) return own;
    // An object inside itself has no finite text: from there on it counts by identity.
    if (open.has(v)) return `obj${identityId(v)}`;
    open.add(v);
    try {
      if (Array.isArray(v)) return `[${v.map(go).join(",")}]`;
      if (ArrayBuffer.isView(v)) return `${v.constructor.name}[${v instanceof DataView ? identityId(v) : (v as Uint8Array).join(",")}]`;
      if (v instanceof Map) return `Map{${[...v].map(([k, x]) => `${go(k)}:${go(x)}`).join(",")}}`;
      if (v instanceof Set) return `Set{${[...v].map(go).join(",")}}`;
      if (v instanceof Date) return `Date${v.getTime()}`;
      const proto = Object.getPrototypeOf(v) as object | null;
      if (proto !== Object.prototype && proto !== null) return `obj${identityId(v)}`;
      return `{${Object.keys(v).sort().map((k) => `${JSON.stringify(k)}:${go((v as Record<string, unknown>)[k])}`).join(",")}}`;
    } finally {
      open.delete(v);
    }
  };
  return go(value);
}
