import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { formatShape, range, type Shape } from "../base/shape.js";
import { dot } from "../primitives/dot.js";
import { reduceSum } from "../primitives/reductions.js";
import { reshapeTo, transposeTo } from "../primitives/structural-ops.js";
import { convertTo } from "../primitives/types.js";
import { bind1 } from "../trace/trace.js";
import { describe, promoteOperands } from "./convert.js";
import { diagonal } from "./matrices.js";

/** One axis name: a letter, or `.k` for the k-th axis from the right that an ellipsis stands for. */
type Label = string;
interface Term { readonly x: NDArray; readonly labels: readonly Label[] }
interface Plan { readonly terms: readonly Label[][]; readonly output: readonly Label[]; readonly sizes: ReadonlyMap<Label, number> }

const bad = (expected: string, got: string, fix: string) => new ArgumentError({ fn: "einsum", arg: "subscripts", expected, got, fix });

function labelsOf(term: string, ndim: number | undefined, ellipsis: number, at: string): Label[] {
  const parts = term.split("...");
  if (parts.length > 2 || parts.some((s) => !/^[A-Za-z]*$/.test(s))) throw bad("letters, at most one ellipsis \"...\" a term, commas and one \"->\"", JSON.stringify(term), "name every axis with one letter, as in \"ij,jk->ik\"");
  const letters = [...parts.join("")];
  const hidden = parts.length === 2 ? (ndim === undefined ? ellipsis : ndim - letters.length) : 0;
  if (ndim !== undefined && (hidden < 0 || (parts.length === 1 && letters.length !== ndim))) throw bad(`${ndim} letters for ${at}, one an axis`, JSON.stringify(term), "add letters, or \"...\" for the remaining axes");
  return [...parts[0]!, ...range(hidden).map((k) => `.${hidden - 1 - k}`), ...(parts[1] ?? "")];
}

/** Reads the subscripts against the operands' shapes. */
function plan(subscripts: string, shapes: readonly Shape[]): Plan {
  if (typeof subscripts !== "string") throw bad("a string such as \"ij,jk->ik\"", describe(subscripts), "pass the subscripts first, then the operands");
  const [left, right, ...more] = subscripts.replaceAll(/\s/g, "").split("->") as [string, string?, ...string[]];
  if (more.length) throw bad("one \"->\"", JSON.stringify(subscripts), "remove the others");
  const inputs = left.split(",");
  if (inputs.length !== shapes.length) throw bad(`${shapes.length} terms, one for each operand`, `${inputs.length} in ${JSON.stringify(subscripts)}`, "separate the terms by commas");
  const terms = inputs.map((t, i) => labelsOf(t, shapes[i]!.length, 0, `operand ${i} of shape ${formatShape(shapes[i]!)}`));
  const sizes = new Map<Label, number>();
  terms.forEach((labels, i) =>
    labels.forEach((label, d) => {
      const n = shapes[i]![d]!;
      // Axes of size 1 go along with any other, but there is no diagonal of them.
      const own = shapes[i]![labels.indexOf(label)]!;
      const known = own === n ? sizes.get(label) : own;
      if (known === undefined || (known === 1 && own === n)) sizes.set(label, n);
      else if (n !== known && (n !== 1 || own !== n))
        throw new ShapeError({ fn: "einsum", arg: `operands[${i}]`, expected: `size ${known} for ${label.startsWith(".") ? "the ellipsis" : `axis "${label}"`} of ${JSON.stringify(subscripts)}`, got: `${n} in ${formatShape(shapes[i]!)}`, fix: "give equal sizes to axes of one name" });
    }));
  const hidden = Math.max(0, ...terms.map((t) => t.filter((l) => l.startsWith(".")).length));
  const all = terms.flat();
  const output = right === undefined
    ? [...range(hidden).map((k) => `.${hidden - 1 - k}`), ...[...sizes.keys()].filter((l) => !l.startsWith(".") && all.filter((m) => m === l).length === 1).sort()]
    : labelsOf(right, undefined, hidden, "the output");
  for (const l of output) {
    if (!sizes.has(l)) throw bad("output axes that occur in an operand", `"${l}" in ${JSON.stringify(subscripts)}`, "remove it from the output");
    if (output.indexOf(l) !== output.lastIndexOf(l)) throw bad("each output axis once", `"${l}" twice in ${JSON.stringify(subscripts)}`, "remove the repetition");
  }
  return { terms, output, sizes };
}

/** Takes diagonals of repeated axes, drops axes that only broadcast, and sums over axes that nothing else needs. */
function reduceTerm(x: NDArray, labels: readonly Label[], sizes: ReadonlyMap<Label, number>, needed: (l: Label) => boolean): Term {
  let y = x;
  let names = [...labels];
  const stretched = names.map((l, d) => y.shape[d] === 1 && sizes.get(l) !== 1);
  if (stretched.some(Boolean)) {
    y = reshapeTo(y, y.shape.filter((_, d) => !stretched[d]));
    names = names.filter((_, d) => !stretched[d]);
  }
  for (let d = 0; d < names.length; d++) {
    const again = names.indexOf(names[d]!, d + 1);
    if (again < 0) continue;
    y = diagonal(y, 0, d, again);
    names = [...names.filter((_, k) => k !== d && k !== again), names[d]!];
    d = -1;
  }
  const axes = range(names.length).filter((d) => !needed(names[d]!));
  return axes.length === 0 ? { x: y, labels: names } : { x: bind1(reduceSum, [y], { axes }), labels: names.filter((l) => needed(l)) };
}

const product = (labels: readonly Label[], sizes: ReadonlyMap<Label, number>) => labels.reduce((n, l) => n * sizes.get(l)!, 1);

/** The pair whose contraction shrinks memory most; ties go to the cheaper product. (Greedy, as in Smith and Gray, opt_einsum, 2018.) */
function bestPair(terms: readonly (readonly Label[])[], output: readonly Label[], sizes: ReadonlyMap<Label, number>): [number, number] {
  let best: [number, number] = [0, 1];
  let bestScore: readonly [number, number] = [Infinity, Infinity];
  for (let i = 0; i < terms.length; i++)
    for (let j = i + 1; j < terms.length; j++) {
      const union = [...new Set([...terms[i]!, ...terms[j]!])];
      const kept = keptLabels(union, terms, [i, j], output);
      const score = [product(kept, sizes) - product(terms[i]!, sizes) - product(terms[j]!, sizes), product(union, sizes)] as const;
      if (score[0] < bestScore[0] || (score[0] === bestScore[0] && score[1] < bestScore[1])) [best, bestScore] = [[i, j], score];
    }
  return best;
}
const keptLabels = (labels: readonly Label[], terms: readonly (readonly Label[])[], pair: readonly number[], output: readonly Label[]) =>
  labels.filter((l) => output.includes(l) || terms.some((t, k) => !pair.includes(k) && t.includes(l)));

/** One product: shared axes that are needed later are batch axes, the other shared ones are summed. */
function contractPair(a: Term, b: Term, keep: readonly Label[]): Term {
  const shared = a.labels.filter((l) => b.labels.includes(l));
  const batch = shared.filter((l) => keep.includes(l));
  const summed = shared.filter((l) => !keep.includes(l));
  const at = (t: Term, ls: readonly Label[]) => ls.map((l) => t.labels.indexOf(l));
  const x = bind1(dot, [a.x, b.x], { contract: [at(a, summed), at(b, summed)], batch: [at(a, batch), at(b, batch)] });
  return { x, labels: [...batch, ...a.labels.filter((l) => !shared.includes(l)), ...b.labels.filter((l) => !shared.includes(l))] };
}

/**
 * Einstein summation: axes that share a letter are multiplied together, and those missing after "->" are summed. Without "->" the
 * letters that occur once are kept, in alphabetical order. "..." stands for axes that broadcast; a letter twice in one term takes a diagonal.
 * More than two operands are contracted pair by pair, in the order that keeps intermediates small.
 * @throws ArgumentError for subscripts that cannot be read; ShapeError for axes of one name and different sizes.
 * @example np.einsum("ij,jk->ik", a, b); np.einsum("ii", a); np.einsum("...i,...i->...", x, y)
 */
export function einsum(subscripts: string, ...operands: readonly ArrayLike[]): NDArray {
  if (operands.length === 0) throw new ArgumentError({ fn: "einsum", arg: "operands", expected: "at least one array", got: "none", fix: "pass the arrays after the subscripts" });
  const arrays = promoteOperands(operands, "einsum", operands.map((_, i) => `operands[${i}]`)).map((x) => (x.weak ? convertTo(x, x.dtype) : x));
  const { terms: labels, output, sizes } = plan(subscripts, arrays.map((x) => x.shape));
  let terms = arrays.map((x, i) => reduceTerm(x, labels[i]!, sizes, (l) => output.includes(l) || labels.some((t, k) => k !== i && t.includes(l))));
  // Dropped broadcast axes may leave a name with a single operand.
  terms = terms.map((t, i) => reduceTerm(t.x, t.labels, sizes, (l) => output.includes(l) || terms.some((s, k) => k !== i && s.labels.includes(l))));
  while (terms.length > 1) {
    const pair = bestPair(terms.map((t) => t.labels), output, sizes);
    const [a, b] = [terms[pair[0]]!, terms[pair[1]]!];
    const keep = keptLabels([...new Set([...a.labels, ...b.labels])], terms.map((t) => t.labels), pair, output);
    terms = [...terms.filter((_, k) => !pair.includes(k)), contractPair(a, b, keep)];
  }
  const last = terms[0]!;
  return transposeTo(last.x, output.map((l) => last.labels.indexOf(l)));
}

/** The pairs of operands in the order in which `einsum` contracts them; results of products come last in the list of operands. */
export function einsumPath(subscripts: string, ...operands: readonly ArrayLike[]): [number, number][] {
  const { terms, output, sizes } = plan(subscripts, promoteOperands(operands, "einsumPath").map((x) => x.shape));
  let left: readonly (readonly Label[])[] = terms.map((t) => [...new Set(t)]);
  const path: [number, number][] = [];
  while (left.length > 1) {
    const pair = bestPair(left, output, sizes);
    path.push(pair);
    const keep = keptLabels([...new Set([...left[pair[0]]!, ...left[pair[1]]!])], left, pair, output);
    left = [...left.filter((_, k) => !pair.includes(k)), keep];
  }
  return path;
}
