import type { DType } from "../../../base/dtype.js";
import type { BufferId } from "../../../kernel/expr.js";
import { elementType } from "./expression.js";
import { withLibrary } from "./library.js";

/** One compute dispatch: its text, what it binds, and how many workgroups it takes. */
export interface Shader {
  readonly name: string;
  readonly code: string;
  readonly bindings: readonly Binding[];
  readonly workgroups: readonly [x: number, y: number, z: number];
}

export interface Binding {
  readonly buffer: BufferId;
  readonly write: boolean;
}

/**
 * Names the buffers of a shader in the order of first use, so that shaders that do the same have the same text. A buffer that is written
 * anywhere is bound once, for both reading and writing: WebGPU refuses two bindings of it.
 */
export class Bindings {
  #order: BufferId[] = [];
  #written = new Set<BufferId>();
  constructor(readonly dtypeOf: (buffer: BufferId) => DType) {}

  readonly read = (buffer: BufferId): string => {
    let at = this.#order.indexOf(buffer);
    if (at < 0) at = this.#order.push(buffer) - 1;
    return `b${at}`;
  };

  readonly write = (buffer: BufferId): string => {
    this.#written.add(buffer);
    return this.read(buffer);
  };

  list(): Binding[] {
    return this.#order.map((buffer) => ({ buffer, write: this.#written.has(buffer) }));
  }

  declarations(): string[] {
    return this.list().map(({ buffer, write }, i) => `@group(0) @binding(${i}) var<storage, ${write ? "read_write" : "read"}> b${i}: array<${elementType(this.dtypeOf(buffer))}>;`);
  }
}

export const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

export interface MainBody {
  readonly name: string;
  readonly bindings: Bindings;
  /** Declarations at module level. */
  readonly globals?: readonly string[];
  readonly workgroupSize: readonly number[];
  readonly workgroups: readonly [number, number, number];
  /** Statements; `group`, `groups`, `lane` and `local` are the built-in values of these meanings. */
  readonly body: readonly string[];
}

export function shader(m: MainBody): Shader {
  const code = [
    ...m.bindings.declarations(),
    ...(m.globals ?? []),
    `@compute @workgroup_size(${m.workgroupSize.join(", ")})`,
    "fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(local_invocation_id) local: vec3u) {",
    ...indent(m.body),
    "}",
  ].join("\n");
  return { name: m.name, code: withLibrary(code), bindings: m.bindings.list(), workgroups: m.workgroups };
}

/** A count of workgroups folded into two dimensions, each within the least limit that WebGPU guarantees. */
export function grid(count: number): [number, number, number] {
  const x = Math.min(count, 65535);
  return [x, Math.ceil(count / Math.max(x, 1)), 1];
}
