import { arithmetic } from "./arithmetic.js";
import { exponential } from "./exponential.js";
import { gamma } from "./gamma.js";
import { trigonometric } from "./trigonometric.js";

const library: ReadonlyMap<string, string> = new Map(Object.entries({ ...arithmetic, ...exponential, ...trigonometric, ...gamma }));

/** The declarations that a piece of WGSL uses, and those that they use, as text to put before it. */
export function withLibrary(code: string): string {
  const needed = new Set<string>();
  const scan = (text: string) => {
    for (const [name] of text.matchAll(/\bh_\w+/g)) {
      const declaration = library.get(name);
      if (declaration === undefined || needed.has(name)) continue;
      needed.add(name);
      scan(declaration);
    }
  };
  scan(code);
  return [...needed].sort().map((name) => library.get(name)!).concat(code).join("\n");
}
