/** What a task, a case of it and a system that runs it are. */
export type Element = "float32" | "float64";
export type Params = Readonly<Record<string, string | number>>;

/** Names of the systems, in the order of the tables. */
export const systemNames = ["hessia", "jax-js", "tfjs", "numpy-ts", "numpy", "jax"] as const;
export type SystemName = (typeof systemNames)[number];
export const javascriptPeers: readonly SystemName[] = ["jax-js", "tfjs", "numpy-ts"];

/** The circumstances of a run that a bar may depend on. */
export interface Circumstances {
  readonly threads: number;
  readonly relaxedSimd: boolean;
  readonly revectorized: boolean;
}

/** Ours must be at least `atLeast` times as fast as the fastest of `systems` that ran. */
export interface Requirement {
  readonly atLeast: number;
  readonly systems: readonly SystemName[];
}
/** Met when any of its requirements is. */
export interface Bar {
  readonly anyOf: readonly Requirement[];
  readonly when?: (c: Circumstances) => boolean;
}

export const bar = (atLeast: number, systems: SystemName | readonly SystemName[], when?: Bar["when"]): Bar => ({
  anyOf: [{ atLeast, systems: typeof systems === "string" ? [systems] : systems }],
  ...(when ? { when } : {}),
});

/** Values that a right answer has, and how far from them, relative to `scale`, it may lie. */
export interface Expected {
  readonly values: readonly number[];
  readonly tolerance: number;
  /** Default: the largest of `values` in size. */
  readonly scale?: number;
}

export interface Case {
  readonly name: string;
  readonly params: Params;
  readonly expected: () => Expected;
  readonly bars: readonly Bar[];
  /** Calls of the thing measured in one call of `run`; times are given for one. */
  readonly callsPerRun?: number;
  /** Too large for a quick run. */
  readonly slow?: boolean;
  /** Work of one call, to print a rate. */
  readonly flops?: number;
}

export interface Task {
  readonly name: string;
  readonly title: string;
  readonly cases: readonly Case[];
}

/** A case made ready in one system. */
export interface Prepared {
  /** One call, with its result finished. */
  run(): void | Promise<void>;
  /** The answer, sampled as the task says. */
  digest(): readonly number[] | Promise<readonly number[]>;
  dispose?(): void;
}

/** Thrown for what a system does not have. */
export class Unsupported extends Error {}

/** A system: for each task how it prepares a case of it. */
export type Adapter = Readonly<Record<string, (params: Params) => Prepared | Promise<Prepared>>>;

export const numberOf = (params: Params, name: string): number => {
  const value = params[name];
  if (typeof value !== "number") throw new Error(`The case has no number ${name}.`);
  return value;
};
export const textOf = (params: Params, name: string): string => {
  const value = params[name];
  if (typeof value !== "string") throw new Error(`The case has no text ${name}.`);
  return value;
};
export const elementOf = (params: Params): Element => {
  const value = textOf(params, "dtype");
  if (value !== "float32" && value !== "float64") throw new Error(`dtype ${value} is not measured.`);
  return value;
};
