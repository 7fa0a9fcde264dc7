import { type ScatterOp, scatterRoutine, type ScatterRoutineParams } from "../../../../kernel/routines/scatter.js";
import { type Code, defineNativeRoutine, type Index, type Lanes, type Pointer, type PointerVariable, type Real, template } from "../../native/index.js";

/** Rows up to so many bytes are written without a loop. */
const straightBytes = 128;
/** Rows from so many bytes on are copied by the machine's own way of copying memory. */
const copiedBytes = 512;
/** Single elements that go together: the addresses of some are known before others are written. */
const together = 4;

const lanesOf: Readonly<Record<ScatterOp, (old: Lanes, update: Lanes) => Lanes>> = {
  set: (_, u) => u, add: (o, u) => o.plus(u), mul: (o, u) => o.times(u), min: (o, u) => o.min(u), max: (o, u) => o.max(u),
};
const oneOf: Readonly<Record<ScatterOp, (old: Real, update: Real) => Real>> = {
  set: (_, u) => u, add: (o, u) => o.plus(u), mul: (o, u) => o.times(u), min: (o, u) => o.min(u), max: (o, u) => o.max(u),
};

/** Brings `rest` elements of `from` to those of `to`. */
function putRow(c: Code, op: ScatterOp, rest: number, from: Pointer, to: Pointer): void {
  const bytes = rest * c.size;
  const vector = (p: Pointer, q: Pointer, at: number): void => q.storeLanes(lanesOf[op](q.loadLanes(at), p.loadLanes(at)), at);
  const single = (p: Pointer, q: Pointer, at: number): void => q.store(oneOf[op](q.load(at), p.load(at)), at);
  if (op === "set" && bytes >= copiedBytes) c.copy(rest, from, to);
  else if (bytes > straightBytes) c.sweep(rest, [from, to], 4, ([p, q], u) => vector(p, q, u * c.lanes), ([p, q]) => single(p, q, 0));
  else {
    const [p, q] = [c.let(from), c.let(to)];
    let at = 0;
    for (; at + c.lanes <= rest; at += c.lanes) vector(p, q, at);
    for (; at < rest; at++) single(p, q, at);
  }
}

/** Rows of `updates`, in their order, to the places of `to` that `at` names. */
const rows = ({ op, mode, rest }: ScatterRoutineParams) => template(`scatter.${op}.${mode}.${rest}`, { n: "index", count: "index", at: "pointer to int32", updates: "pointer", to: "pointer" }, "nothing", (c, { n, count, at, updates, to }) => {
  const last = c.let(count.minus(1));
  const several = (many: number) => (i: Index): void => {
    const places = Array.from({ length: many }, (_, k) => c.let(at.loadIndex(i.plus(k))));
    const from = c.let(updates.at(i.times(rest)));
    places.forEach((place, k) => {
      if (mode === "clip") place.set(place.min(last).max(0));
      const put = (): void => putRow(c, op, rest, from.at(k * rest), to.at(place.times(rest)));
      if (mode === "clip") put();
      else c.when(place.below(count), put);
    });
  };
  const whole = c.let(rest === 1 ? n.floorTo(together) : c.index(0));
  if (rest === 1) c.range(0, whole, several(together), together);
  c.range(whole, n, several(1));
});

/** Updates in their order, so that of several for one element the last stays, in place where the result has the memory of the array. */
export const nativeScatter = defineNativeRoutine(scatterRoutine, ({ params, inputs }) => {
  const { batch, count, indices, rest, op } = params;
  const { dtype } = inputs[0]!;
  if (dtype === "bool" && (op === "add" || op === "mul")) return undefined;
  return {
    dtype,
    scratchBytes: 0,
    body(c, { inputs: [x, at, updates], outputs: [y] }) {
      c.when(x!.differs(y!), () => c.copy(batch * count * rest, x!, y!));
      if (count === 0) return;
      const g = (b: Index, p: Pointer, step: number): PointerVariable => c.let(p.at(b.times(step)));
      c.range(0, batch, (b) => c.call(rows(params), { n: indices, count, at: g(b, at!, indices), updates: g(b, updates!, indices * rest), to: g(b, y!, count * rest) }));
    },
  };
});
