import type { KernelLimits } from "../../backends/backend.js";
import { sizeOf } from "../../base/shape.js";
import { type BufferId, load } from "../../kernel/expr.js";
import type { BufferInfo, Kernel, KernelOutput, Step } from "../../kernel/schedule.js";
import { shareExpressions } from "../../kernel/share.js";
import { writesOf } from "../../kernel/traverse.js";
import { type Effects, effects as effectsIn } from "../effects.js";
import { simplifyKernel } from "../simplify.js";
import { combine } from "./combine.js";
import { type Facts, factsOf } from "./facts.js";
import { Order } from "./order.js";
import { fit, inOrderOf } from "./refine.js";
import { isContraction, mayPay, mayShare, pays } from "./worth.js";

/** Steps are ordered and fused by so many at a time, which bounds the time it takes. */
const window = 512;
/** Kernels of the same number of outputs that each is tried with. */
const neighbours = 24;

/** Numbers of indices that a kernel runs over, by which kernels are found that may share its loops. */
const sizesOf = ({ dims, reduceDims, accumulators }: Kernel): number[] => {
  const [count, terms] = [sizeOf(dims), sizeOf(reduceDims)];
  return accumulators.length > 0 && terms !== 1 ? [count, count * terms] : [count];
};

/** The kernel without its writes to these buffers. */
function without(kernel: Kernel, lost: ReadonlySet<BufferId>): Kernel {
  if (lost.size === 0) return kernel;
  const needed = (list: readonly KernelOutput[]): KernelOutput[] => list.filter((o) => !lost.has(o.buffer));
  const { stores = [], ...rest } = kernel;
  const left = needed(stores);
  return { ...rest, outputs: needed(kernel.outputs), ...(left.length > 0 && { stores: left }) };
}

/** A kernel among the steps, with what is known about it. */
interface Node {
  readonly at: number;
  facts: Facts;
  effects: Effects;
  /** A copy that stays what it is unless a kernel takes it in. */
  copy: Step | undefined;
}

/**
 * Makes fewer kernels of a program's steps, loop and branch bodies included: kernels over the same indices become one with
 * several outputs, what one writes and another reads at the same index is handed on as a value, reductions over the same indices
 * share their loop, and what is computed from each result of a reduction is computed with it. Buffers that nobody reads any more are not written.
 */
export class Fusion {
  /** How many steps read a buffer. */
  readonly #readers = new Map<BufferId, number>();
  readonly #kept: ReadonlySet<BufferId>;
  readonly #limits: Required<Pick<KernelLimits, "maxBuffers">> & KernelLimits;

  /** @param kept buffers that must be written whether or not a step reads them. */
  constructor(readonly buffers: readonly BufferInfo[], kept: Iterable<BufferId>, limits: KernelLimits = {}) {
    this.#kept = new Set(kept);
    this.#limits = { maxBuffers: 16, ...limits };
  }

  run(steps: readonly Step[]): readonly Step[] {
    this.#count(steps);
    return this.#fuse(steps);
  }

  #count(steps: readonly Step[]): void {
    for (const s of steps) {
      if (s.kind === "for") this.#count(s.body);
      else if (s.kind === "while") {
        this.#add([s.predicate], 1);
        this.#count(s.condition);
        this.#count(s.body);
      } else if (s.kind === "branch") {
        this.#add([s.index], 1);
        s.branches.forEach((b) => this.#count(b));
      } else this.#add(this.#effectsOf(s).reads, 1);
    }
  }
  #effectsOf(step: Step): Effects { return effectsIn(step, this.buffers); }
  #add(ids: Iterable<BufferId>, n: number): void {
    for (const id of ids) this.#readers.set(id, (this.#readers.get(id) ?? 0) + n);
  }

  #fuse(steps: readonly Step[]): readonly Step[] {
    const inner = steps.map((s): Step => {
      if (s.kind === "for") return { ...s, body: this.#fuse(s.body) };
      if (s.kind === "while") return { ...s, condition: this.#fuse(s.condition), body: this.#fuse(s.body) };
      if (s.kind === "branch") return { ...s, branches: s.branches.map((b) => this.#fuse(b)) };
      return s;
    });
    const out: Step[] = [];
    for (let at = 0; at < inner.length; at += window) out.push(...this.#fuseWindow(inner.slice(at, at + window)));
    return out;
  }

  /** A copy of a whole buffer is a kernel like any other, if one that writes its source takes it in. */
  #asKernel(step: Step): Kernel | undefined {
    if (step.kind === "kernel") return step.kernel;
    if (step.kind !== "copy" || step.fromBase || step.toBase) return undefined;
    const { from, to, count } = step;
    const source = this.buffers[from]!;
    if (source.size !== count || this.buffers[to]!.size !== count || count === 0) return undefined;
    const index = { offset: 0, strides: count === 1 ? [] : [1] };
    return { dims: count === 1 ? [] : [count], reduceDims: [], accumulators: [], outputs: [{ buffer: to, index, value: load(source.dtype, from, index) }] };
  }

  #fuseWindow(steps: readonly Step[]): Step[] {
    const effects = steps.map((s) => this.#effectsOf(s));
    if (steps.length < 2) return [...steps];
    const order = new Order(effects);
    const nodes = new Map<number, Node>();
    /** Kernels by the number of indices they run over, in order. */
    const alike = new Map<number, Node[]>();
    const writers = new Map<BufferId, Node>();
    steps.forEach((step, at) => {
      const kernel = this.#asKernel(step);
      if (!kernel) return;
      let node: Node = { at, facts: factsOf(kernel), effects: effects[at]!, copy: step.kind === "copy" ? step : undefined };
      nodes.set(at, node);
      const lists = sizesOf(kernel).map((n) => {
        const list = alike.get(n) ?? [];
        alike.set(n, list);
        return list;
      });
      for (let again = true; again; ) {
        again = false;
        const makers = new Set<Node>();
        for (const id of node.effects.reads) {
          const w = writers.get(id);
          if (w && w !== node) makers.add(w);
        }
        const others = lists.flatMap((l) => l.slice(-neighbours).reverse()).filter((n) => !makers.has(n) && n !== node);
        for (const [candidates, related] of [[[...makers], true], [others, false]] as const) {
          for (const other of candidates) {
            const merged = this.#merge(order, other, node, related);
            if (!merged) continue;
            nodes.delete(other.at);
            for (const l of alike.values()) {
              const known = l.indexOf(other);
              if (known >= 0) l.splice(known, 1);
            }
            nodes.set(at, (node = merged));
            again = true;
            break;
          }
          if (again) break;
        }
      }
      for (const n of sizesOf(node.facts.kernel)) {
        const list = alike.get(n);
        if (list) list.push(node);
        else alike.set(n, [node]);
      }
      for (const o of writesOf(node.facts.kernel)) writers.set(o.buffer, node);
    });
    return order.sequence().flatMap((at): Step[] => {
      const node = nodes.get(at);
      if (!node) return [steps[at]!];
      if (node.copy) return [node.copy];
      const { kernel } = node.facts;
      return writesOf(kernel).length > 0 ? [{ kind: "kernel", kernel }] : [];
    });
  }

  /** `x` and `y` as one kernel in the place of y, if they can be one and it pays. */
  #merge(order: Order, x: Node, y: Node, related: boolean): Node | undefined {
    const [first, second] = order.after(x.at, y.at) ? [y, x] : [x, y];
    if ((first.copy || second.copy) && !(related && second.copy && !first.copy)) return undefined;
    if (!related && !mayShare(first.facts, second.facts)) return undefined;
    const whole = this.#whole(first.facts, second.facts, related);
    if (!whole || order.separated(first.at, second.at)) return undefined;
    const { kernel, forwarded } = whole;
    const lost = this.#lost(kernel, forwarded, [first.effects, second.effects]);
    const facts = factsOf(shareExpressions(simplifyKernel(without(kernel, lost))));
    if (!pays(facts, this.#limits.maxBuffers)) return undefined;
    const effects = this.#effectsOf({ kind: "kernel", kernel: facts.kernel });
    this.#add(first.effects.reads, -1);
    this.#add(second.effects.reads, -1);
    this.#add(effects.reads, 1);
    order.merge(x.at, y.at);
    return { at: y.at, facts, effects, copy: undefined };
  }

  #whole(first: Facts, second: Facts, related: boolean) {
    const whole = this.#inStep(first, second, related);
    if (whole || !related || !isContraction(first)) return whole;
    // The loops of a contraction have no order of their own: what permutes its result may have it written where it belongs.
    const turned = inOrderOf(first.kernel, second.kernel);
    return turned && this.#inStep(first, factsOf(turned), related);
  }

  #inStep(first: Facts, second: Facts, related: boolean) {
    const fitted = fit(first.kernel, second.kernel);
    if (!fitted) return undefined;
    const facts = (k: Kernel, known: Facts): Facts => (k === known.kernel ? known : factsOf(k));
    const [a, b] = [facts(fitted[0], first), facts(fitted[1], second)];
    return mayPay(a, b, related, this.#limits) ? combine(a, b) : undefined;
  }

  /** Forwarded buffers that no step reads any more. */
  #lost(kernel: Kernel, forwarded: ReadonlySet<BufferId>, parts: readonly Effects[]): ReadonlySet<BufferId> {
    const lost = new Set<BufferId>();
    if (forwarded.size === 0) return lost;
    const still = this.#effectsOf({ kind: "kernel", kernel }).reads;
    for (const id of forwarded) {
      if (this.#kept.has(id) || still.has(id)) continue;
      const readers = this.#readers.get(id)! - parts.filter((e) => e.reads.has(id)).length;
      if (readers === 0) lost.add(id);
    }
    return lost;
  }
}
