import { digest } from "../base/digest.js";
import { identityId, structuralKey } from "../base/structural-key.js";
import { type Atom, Literal, Program, type Var } from "./program.js";
import { formatAval } from "./aval.js";
import type { Params } from "./primitive.js";

/** A number for a function, the same each time. */
export const functionId = identityId;

const programKeys = new WeakMap<Program, string>();
const paramKeys = new WeakMap<Params, string>();

/** Text that is equal for equal params: Programs and plain data by structure, functions and instances of classes (arrays too) by identity. */
export function paramsKey(params: Params): string {
  let key = paramKeys.get(params);
  if (key === undefined) paramKeys.set(params, (key = valueKey(params)));
  return key;
}

/** Whether params have equal keys, without making them where plain comparison tells. */
export function paramsEqual(a: Params, b: Params): boolean {
  return a === b || valuesEqual(a, b);
}

function valuesEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!valuesEqual(a[i], b[i])) return false;
    return true;
  }
  if (a.constructor !== Object || b.constructor !== Object) return valueKey(a) === valueKey(b);
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const k of keys) if (!Object.hasOwn(b, k) || !valuesEqual((a as Record<string, unknown>)[k], (b as Record<string, unknown>)[k])) return false;
  return true;
}

/** Instances of classes are themselves alone: what they hold may not show. */
const valueKey = (v: unknown): string => structuralKey(v, (x) => (x instanceof Program ? programKey(x) : undefined));

/** Text that is equal for structurally equal Programs (same constants by identity); a digest of it where it is long. */
export function programKey(program: Program): string {
  let key = programKeys.get(program);
  if (key !== undefined) return key;
  const names = new Map<Var, number>();
  const define = (v: Var) => {
    names.set(v, names.size);
    return formatAval(v.aval);
  };
  const use = (a: Atom) => (a instanceof Literal ? `${valueKey(a.value)}:${formatAval(a.aval)}` : `%${names.get(a)}`);
  const inputs = program.inputs.map(define).join(" ");
  const constants = program.constants.map((c) => `${define(c.variable)}=#${functionId(c.value)}`).join(" ");
  const equations = program.equations.map((e) => `${e.outputs.map(define).join(" ")}=${e.primitive.name}${paramsKey(e.params)} ${e.inputs.map(use).join(" ")}`).join(";");
  key = `(${inputs}|${constants}|${equations}|${program.outputs.map(use).join(" ")})`;
  // Programs that call Programs would double their text at every level.
  if (key.length > 256) key = `<${key.length} ${digest(key)}>`;
  programKeys.set(program, key);
  return key;
}
