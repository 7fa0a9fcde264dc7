import { Presets, SingleBar } from "cli-progress";

/** A progress bar on a terminal; on a pipe it stays silent, so that logs are readable. */
export async function withProgress<T>(title: string, total: number, work: (tick: (label: string) => void) => Promise<T> | T): Promise<T> {
  const bar = new SingleBar({ format: `  ${title} {bar} {value}/{total} {label}`, hideCursor: true, clearOnComplete: true, noTTYOutput: false }, Presets.shades_classic);
  bar.start(total, 0, { label: "" });
  try {
    return await work((label) => bar.increment(1, { label }));
  } finally {
    bar.stop();
  }
}

/** Lets the terminal draw between two pieces of synchronous work. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
