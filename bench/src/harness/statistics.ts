export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/**
 * How many times as fast `ours` is as `theirs`: the median over the rounds in which both ran. What disturbs the machine for longer than a
 * round disturbs both, so the ratios of rounds scatter less than the times.
 */
export function pairedRatio(ours: ReadonlyMap<number, number>, theirs: ReadonlyMap<number, number>): number {
  const ratios: number[] = [];
  for (const [round, mine] of ours) {
    const other = theirs.get(round);
    if (other !== undefined) ratios.push(other / mine);
  }
  return ratios.length > 0 ? median(ratios) : NaN;
}
