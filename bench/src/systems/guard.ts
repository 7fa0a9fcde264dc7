/** Prints, as JSON, how many times as fast ours is as a plain loop, for each case of `guard/cases.ts`. Arguments: rounds, names. */
import { guardCases } from "../guard/cases.js";
import { median } from "../harness/statistics.js";
import { samples } from "../harness/timing.js";

const rounds = Number(process.argv[2]);
const chosen = process.argv.slice(3);
for (const guarded of guardCases) {
  const { name } = guarded;
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const { plain, ours, check } = guarded.prepare();
  const distance = check();
  if (!(distance <= 1e-4)) throw new Error(`${name}: the answer is off by ${distance}`);
  // Both are compiled by their first calls.
  await samples(plain, 50);
  await samples(ours, 50);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) ratios.push(median(await samples(plain, 40)) / median(await samples(ours, 40)));
  console.log(JSON.stringify({ name, ratio: median(ratios) }));
}
