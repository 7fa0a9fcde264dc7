/** One request and one answer a line. Answers are marked, so that a library may print what it likes. */
import type { Params } from "./case.js";

export type Request =
  | { readonly op: "hello" }
  | { readonly op: "prepare"; readonly task: string; readonly params: Params }
  | { readonly op: "measure"; readonly milliseconds: number }
  | { readonly op: "release" }
  | { readonly op: "memory"; readonly mode: string; readonly calls: number; readonly seconds: number };

export interface Hello {
  readonly versions: Readonly<Record<string, string>>;
  readonly relaxedSimd: boolean;
}
export interface PreparedAnswer { readonly first: number; readonly second: number; readonly digest: readonly number[] }
export interface MeasureAnswer { readonly samples: readonly number[] }
export interface MemoryAnswer { readonly done: number; readonly peakBytes: number; readonly startBytes: number; readonly microseconds: number; readonly stopped?: string }
export interface ErrorAnswer { readonly error: string; readonly unsupported: boolean }

export const answerMark = "@@";
