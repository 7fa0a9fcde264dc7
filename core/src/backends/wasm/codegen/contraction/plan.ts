import { itemsize } from "../../../../base/dtype.js";
import { byStride, type Contraction, exchanged } from "../../../../kernel/contraction.js";
import type { BufferId, Expr } from "../../../../kernel/expr.js";
import type { Kernel } from "../../../../kernel/schedule.js";
import { buffersRead } from "../../../../kernel/traverse.js";
import type { NestContext } from "../nest/nest.js";
import { cacheBytes, costOf, costOfNest, costOfProduct, leastOfProducts, product } from "./cost.js";
import { factsOf } from "./factor.js";
import { type ContractionPlan, type FactorPlan, settle } from "./settle.js";

/** The best way to run a contraction as matrix products of blocks, or undefined if plain loops are as good. `prepackable`: factors whose panels may be packed beforehand. */
export function planContraction(kernel: Kernel, contraction: Contraction, lanes: number, aliasOf?: NestContext["aliasOf"], prepackable: (e: Expr) => boolean = () => false): ContractionPlan | undefined {
  const { sizes } = contraction;
  if (product(contraction.m, sizes) * product(contraction.n, sizes) === 1) return undefined;
  let least = costOfNest(contraction, lanes, kernel);
  if (least <= leastOfProducts) return undefined;
  let best: ContractionPlan | undefined;
  eachPlan(kernel, contraction, aliasOf, (plan) => {
    const cost = costOf(plan, lanes, kernel, prepackable);
    if (cost < least) [best, least] = [plan, cost];
  }, (calls, m, n, k) => calls * costOfProduct(m, n, k, lanes, false, true, true) < least);
  return best;
}

/** Every way to run a contraction as matrix products of blocks, but for blocks that are not `promising`: so many products of such a size. */
export function eachPlan(kernel: Kernel, contraction: Contraction, aliasOf: NestContext["aliasOf"], visit: (plan: ContractionPlan) => void, promising: (count: number, m: number, n: number, k: number) => boolean = () => true): void {
  const { sizes } = contraction;
  const loaded = buffersLoaded(kernel, aliasOf);
  const [a, b] = [factsOf(contraction.a, sizes), factsOf(contraction.b, sizes)];
  const output = kernel.outputs[0]!.index;
  const long = (dims: readonly number[]): number[] => dims.filter((d) => sizes[d]! > 1);
  const batch = long(contraction.batch);
  for (const side of [contraction, exchanged(contraction)]) {
    const facts = side === contraction ? [a, b] as const : [b, a] as const;
    const [m, n] = [byStride(output, long(side.m)), byStride(output, long(side.n))];
    const [blocksM, blocksN] = [innerProducts(m, sizes), innerProducts(n, sizes)];
    const products = product(batch, sizes) * blocksM[0]! * blocksN[0]!;
    // Reduced dimensions in the order of either factor.
    const orders = new Map<string, number[]>();
    for (const { load } of facts) if (load) { const k = byStride(load.index, long(side.k)); orders.set(k.join(), k); }
    if (orders.size === 0) orders.set("", long(side.k));
    for (const k of orders.values()) {
      const blocksK = innerProducts(k, sizes);
      for (let i = 0; i <= m.length; i++)
        for (let j = 0; j <= n.length; j++)
          for (let l = 0; l <= k.length; l++) {
            const count = (products * blocksK[0]!) / (blocksM[i]! * blocksN[j]! * blocksK[l]!);
            if (!promising(count, blocksM[i]!, blocksN[j]!, blocksK[l]!)) continue;
            const block = sizes.slice();
            for (const d of [...batch, ...m.slice(0, i), ...n.slice(0, j), ...k.slice(0, l)]) block[d] = 1;
            const plan = settle(side, { m, n, k, block }, facts, kernel, loaded);
            visit(plan);
            for (const smaller of cutBlocks(plan, [m[i], n[j], k[l]])) visit(settle(side, { m, n, k, block: smaller }, facts, kernel, loaded));
          }
    }
  }
}

/** Elements of the dimensions from the i-th on, for each i. */
function innerProducts(dims: readonly number[], sizes: readonly number[]): number[] {
  const out = [1];
  for (let i = dims.length - 1; i >= 0; i--) out.unshift(out[0]! * sizes[dims[i]!]!);
  return out;
}

/** What outputs read, and what may have the same memory. */
function buffersLoaded(kernel: Kernel, aliasOf: NestContext["aliasOf"]): ReadonlySet<BufferId> {
  const loaded = buffersRead(kernel.outputs.map((o) => o.value));
  for (const id of [...loaded]) loaded.add(aliasOf?.(id) ?? id);
  return loaded;
}

/** Smaller blocks where what a plan makes would not stay in cache: cut along the outermost dimensions of each class. */
function cutBlocks({ contraction, a, b, block }: ContractionPlan, [m, n, k]: readonly [number | undefined, number | undefined, number | undefined]): number[][] {
  const size = itemsize(contraction.dtype);
  const bytes = (f: FactorPlan): number => (f.copy || f.coordinates ? product([...f.dims], block) * size : 0);
  const [bytesA, bytesB] = [bytes(a), bytes(b)];
  if (Math.max(bytesA, bytesB) <= cacheBytes) return [];
  const cut = (d: number | undefined, over: number, from: number[]): void => {
    if (d !== undefined && over > cacheBytes) from[d] = Math.ceil(from[d]! / Math.min(from[d]!, Math.ceil(over / cacheBytes)));
  };
  const [outer, inner] = [block.slice(), block.slice()];
  cut(m, bytesA, outer);
  cut(n, bytesB, outer);
  cut(k, Math.max(bytesA, bytesB), inner);
  return [outer, inner];
}
