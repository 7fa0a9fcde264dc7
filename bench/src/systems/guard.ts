/**
 * One case of `guard/cases.ts` in a process of its own, so that no other case has shaped what V8 made of the plain loop: prints how many times as
 * fast ours is. Arguments: the name and the rounds; without any, prints the names, and of which once in a process is all that counts.
 */
import { guardCases } from "../guard/cases.js";
import { median } from "../harness/statistics.js";
import { samples } from "../harness/timing.js";

const [name, rounds] = process.argv.slice(2);
const guarded = guardCases.find((c) => c.name === name);
if (name === undefined) console.log(JSON.stringify(guardCases.map(({ name, once = false }) => ({ name, once }))));
else if (!guarded) throw new Error(`${name} is no case of the guard.`);
else {
  const { plain, ours, check } = guarded.prepare();
  let [bestPlain, bestOurs] = [Infinity, Infinity];
  if (guarded.once) {
    const start = performance.now();
    ours();
    bestOurs = performance.now() - start;
  }
  const distance = check();
  if (!(distance <= 1e-4)) throw new Error(`${name}: the answer is off by ${distance}`);
  // Both are compiled by their first calls.
  await samples(plain, 100);
  if (!guarded.once) await samples(ours, 100);
  // The best round of each: other work on the machine only ever adds time.
  for (let round = 0; round < Number(rounds); round++) {
    bestPlain = Math.min(bestPlain, median(await samples(plain, 40)));
    if (!guarded.once) bestOurs = Math.min(bestOurs, median(await samples(ours, 40)));
  }
  console.log(JSON.stringify(bestPlain / bestOurs));
}
