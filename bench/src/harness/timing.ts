import { cpus } from "node:os";

type Run = () => void | Promise<void>;

async function elapsed(run: Run, calls: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < calls; i++) {
    const pending = run();
    // Synchronous systems pay for no microtask.
    if (pending instanceof Promise) await pending;
  }
  return performance.now() - start;
}

/** Milliseconds of the first two calls: the first compiles. */
export async function firstCalls(run: Run): Promise<[first: number, second: number]> {
  return [await elapsed(run, 1), await elapsed(run, 1)];
}

/** Milliseconds per call in samples of at least a millisecond, until the time is over; one sample at least. */
export async function samples(run: Run, milliseconds: number, largest = 400): Promise<number[]> {
  const start = performance.now();
  let once = await elapsed(run, 1);
  const out = once >= 0.5 ? [once] : [];
  let calls = 1;
  while (once < 1 && performance.now() - start < milliseconds) {
    calls = Math.ceil(calls * Math.min(10, Math.max(2, 1 / Math.max(once, 1e-4))));
    once = await elapsed(run, calls);
  }
  while (out.length < largest && (out.length === 0 || performance.now() - start < milliseconds)) out.push((await elapsed(run, calls)) / calls);
  return out;
}

/** Share of the processors' time that other work takes, watched while nothing of ours runs. */
export async function busyShare(milliseconds = 500): Promise<number> {
  const used = () => cpus().map(({ times: { user, nice, sys, irq, idle } }) => ({ busy: user + nice + sys + irq, all: user + nice + sys + irq + idle }));
  const before = used();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const after = used();
  const total = (pick: "busy" | "all"): number => after.reduce((sum, t, i) => sum + t[pick] - before[i]![pick], 0);
  return total("all") > 0 ? total("busy") / total("all") : 0;
}
