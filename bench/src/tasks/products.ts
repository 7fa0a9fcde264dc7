import { bar, type Case, type Element, javascriptPeers, numberOf, type Params, type Task, textOf } from "../harness/case.js";
import { centered, type Numbers, samplePositions } from "../harness/data.js";

/** Sizes of the indices, as in `i=3 j=4`. */
const sizesOf = (text: string): Map<string, number> => new Map(text.split(" ").map((s) => [s[0]!, Number(s.slice(2))]));

/** A sum of products of two arrays as Einstein writes it, with sizes. */
export interface Product {
  readonly spec: string;
  readonly terms: readonly [string, string];
  readonly out: string;
  readonly shapes: readonly [number[], number[]];
  /** Set for a matrix product with the last two axes of an operand exchanged, or not, and perhaps a batch in front. */
  readonly matmul: { readonly ta: boolean; readonly tb: boolean } | undefined;
  /** Both operands are one array. */
  readonly same: boolean;
}

export function productOf(params: Params): Product {
  const spec = textOf(params, "spec");
  const sizes = sizesOf(textOf(params, "sizes"));
  const [left, out] = spec.split("->") as [string, string];
  const terms = left.split(",") as [string, string];
  const shape = (t: string): number[] => [...t].map((c) => sizes.get(c)!);
  return { spec, terms, out, shapes: [shape(terms[0]), shape(terms[1])], matmul: asMatmul(terms, out), same: numberOf(params, "same") === 1 };
}

function asMatmul([a, b]: readonly [string, string], out: string): Product["matmul"] {
  if (a.length < 2 || b.length < 2 || out.length < 2) return undefined;
  const batch = out.slice(0, -2);
  if ([a, b].some((t) => t.length > 2 && t.slice(0, -2) !== batch)) return undefined;
  for (const ta of [false, true])
    for (const tb of [false, true]) {
      const [row, left] = ta ? [a.at(-1), a.at(-2)] : [a.at(-2), a.at(-1)];
      const [right, column] = tb ? [b.at(-1), b.at(-2)] : [b.at(-2), b.at(-1)];
      if (row === out.at(-2) && column === out.at(-1) && left === right && !out.includes(left!)) return { ta, tb };
    }
  return undefined;
}

const count = (shape: readonly number[]): number => shape.reduce((x, n) => x * n, 1);
export function operands(p: Product, dtype: Element): [Numbers, Numbers] {
  const a = centered(count(p.shapes[0]), 81, dtype);
  return [a, p.same ? a : centered(count(p.shapes[1]), 82, dtype)];
}

/** Sampled elements of the result, each by its own sum in double precision. */
function sampled(params: Params, dtype: Element): number[] {
  const p = productOf(params);
  const [a, b] = operands(p, dtype);
  const sizes = sizesOf(textOf(params, "sizes"));
  const strideOf = (t: string, c: string): number => (t.includes(c) ? count([...t.slice(t.indexOf(c) + 1)].map((x) => sizes.get(x)!)) : 0);
  const summed = [...sizes.keys()].filter((c) => !p.out.includes(c));
  return samplePositions(count([...p.out].map((c) => sizes.get(c)!))).map((position) => {
    let [atA, atB, rest] = [0, 0, position];
    for (const c of [...p.out].reverse()) {
      const i = rest % sizes.get(c)!;
      rest = Math.floor(rest / sizes.get(c)!);
      atA += i * strideOf(p.terms[0], c);
      atB += i * strideOf(p.terms[1], c);
    }
    const sum = (d: number, x: number, y: number): number => {
      const c = summed[d];
      if (c === undefined) return a[x]! * b[y]!;
      let total = 0;
      for (let i = 0; i < sizes.get(c)!; i++) total += sum(d + 1, x + i * strideOf(p.terms[0], c), y + i * strideOf(p.terms[1], c));
      return total;
    };
    return sum(0, atA, atB);
  });
}

const kinds: readonly (readonly [name: string, spec: string, sizes: string, same?: true])[] = [
  ["A B, 31", "ij,jk->ik", "i=31 j=31 k=31"],
  ["A B, 300", "ij,jk->ik", "i=300 j=300 k=300"],
  ["A' B, 300", "ji,jk->ik", "i=300 j=300 k=300"],
  ["A B', 511", "ij,kj->ik", "i=511 j=511 k=511"],
  ["A' A, 256", "ji,jk->ik", "i=256 j=256 k=256", true],
  ["A' A, 10000 x 32", "ji,jk->ik", "i=32 j=10000 k=32", true],
  ["A x, 1000", "ij,j->i", "i=1000 j=1000"],
  ["x A, 1000", "i,ij->j", "i=1000 j=1000"],
  ["outer, 1000", "i,j->ij", "i=1000 j=1000"],
  ["dot, 10^6", "i,i->", "i=1000000"],
  ["10000 x 8 by 8 x 8", "ij,jk->ik", "i=10000 j=8 k=8"],
  ["8 x 10000 by 10000 x 8", "ij,jk->ik", "i=8 j=10000 k=8"],
  ["512 x 512 by 512 x 3", "ij,jk->ik", "i=512 j=512 k=3"],
  ["5 x 512 by 512 x 512", "ij,jk->ik", "i=5 j=512 k=512"],
  ["10000 of 3 x 3", "bij,bjk->bik", "b=10000 i=3 j=3 k=3"],
  ["1000 of 4 x 4 by 4", "bij,bj->bi", "b=1000 i=4 j=4"],
  ["64 of 64 x 64", "bij,bjk->bik", "b=64 i=64 j=64 k=64"],
  ["scores of attention", "bhqd,bhkd->bhqk", "b=4 h=8 q=128 k=128 d=64"],
  ["heads of attention", "bhqk,bkhd->bqhd", "b=4 h=8 q=128 k=128 d=64"],
];

const cases = (dtype: Element): Case[] =>
  kinds.map(([name, spec, sizes, same]) => {
    const params = { dtype, spec, sizes, same: same ? 1 : 0 };
    return {
      name: `${dtype} ${name}`,
      params,
      // An error is judged by the root of the number of terms, as random signs have it.
      expected: () => ({ values: sampled(params, dtype), tolerance: dtype === "float32" ? 1e-5 : 1e-13, scale: Math.sqrt(count([...sizesOf(sizes)].filter(([c]) => !spec.split("->")[1]!.includes(c)).map(([, n]) => n))) }),
      bars: [bar(1, javascriptPeers)],
      flops: 2 * count([...sizesOf(sizes).values()]),
    };
  });

export const products: Task = { name: "products", title: "Products of other shapes: transposed, skinny, batched, contracted, jitted where there is a jit", cases: [...cases("float32"), ...cases("float64")] };
