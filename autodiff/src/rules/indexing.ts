import type { NDArray } from "@hessia/core";
import { bind1, broadcastTo, type GatherParams, primitiveFamilies, reshapeTo, type ScatterParams, shape } from "@hessia/core/extend";
import type { Derivative, DerivativeRules } from "../derivative.js";
import { add, addTangents, and, constant, div, eq, gather as take, ge, iota, lt, mask, mul, select } from "../ops.js";
import { isLinear, type LinearInput } from "../rule-kinds.js";
import { fill, instantiate, isNonzero, type Tangent, Zero } from "../zero.js";

const { gather, scatter, dynamicSlice, dynamicUpdateSlice } = primitiveFamilies.indexing;
const { range } = shape;

/** Where the index of each gathered or written element is in range: [B..., J...] repeated over the rest axes. */
function inside(indices: NDArray, count: number, full: readonly number[]): NDArray {
  const ok = and(ge(indices, constant(indices, 0)), lt(indices, constant(indices, count)));
  return broadcastTo(ok, full, range(indices.ndim));
}
const addInto = (x: NDArray["aval"], indices: NDArray, updates: NDArray, params: GatherParams): NDArray =>
  bind1(scatter, [fill(x, 0), indices, updates], { ...params, op: "add", uniqueIndices: false });

/** What lies outside reads as a constant, so its tangent is 0. */
const gatherRule: Derivative<GatherParams> = () => ({
  jvp([x, indices], [dx], params) {
    const y = bind1(gather, [x!, indices!], params);
    const dy = take(dx as NDArray, indices!, params.batchDims);
    if (params.mode === "clip") return { primals: [y], tangents: [dy] };
    return { primals: [y], tangents: [select(inside(indices!, x!.shape[params.batchDims]!, y.shape), dy, constant(dy, 0))] };
  },
  transpose: ([ct], [x, indices], params) => [addInto(x!.aval, indices as NDArray, ct as NDArray, params), null],
});

/** Elements of `y` at the places that updates were written to; 0 for updates that were dropped. */
function atUpdates(y: NDArray, indices: NDArray, params: ScatterParams): NDArray {
  const taken = take(y, indices, params.batchDims);
  return params.mode === "clip" ? taken : select(inside(indices, y.shape[params.batchDims]!, taken.shape), taken, constant(taken, 0));
}

/** Which updates are the last of those written to their place. */
function lastWritten(x: NDArray["aval"], indices: NDArray, params: ScatterParams): NDArray {
  const b = params.batchDims;
  const written = shape.sizeOf(indices.shape.slice(b));
  const flat = [...indices.shape.slice(0, b), written];
  const at = reshapeTo(indices, flat);
  const ids = add(iota(flat, b), fill({ shape: flat, dtype: "int32", weak: false }, 1));
  const winners = bind1(scatter, [fill({ shape: x.shape.slice(0, b + 1), dtype: "int32", weak: false }, 0), at, ids], { batchDims: b, mode: params.mode, op: "set", uniqueIndices: false });
  return reshapeTo(eq(take(winners, at, b), ids), indices.shape);
}

const overRest = (v: NDArray, full: readonly number[]): NDArray => broadcastTo(v, full, range(v.ndim));

/** "set" and "add" are linear in array and updates together, "mul" in the array. */
function transposeScatter(ct: NDArray, x: NDArray | LinearInput, indices: NDArray, u: NDArray | LinearInput, params: ScatterParams): (Tangent | null)[] {
  let byUpdate: Tangent | null = null;
  if (isLinear(u)) {
    const taken = atUpdates(ct, indices, params);
    byUpdate = params.op === "set" && !params.uniqueIndices ? select(overRest(lastWritten(x.aval, indices, params), taken.shape), taken, constant(taken, 0)) : taken;
  }
  if (!isLinear(x)) return [null, null, byUpdate];
  if (params.op === "add") return [ct, null, byUpdate];
  if (params.op === "mul") return [bind1(scatter, [ct, indices, u as NDArray], params), null, byUpdate];
  return [bind1(scatter, [ct, indices, fill(u.aval, 0)], params), null, byUpdate];
}

/** Array and updates that attain the extremum share its tangent equally. */
function extremum(x: NDArray, indices: NDArray, u: NDArray, dx: Tangent, du: Tangent, y: NDArray, params: ScatterParams): Tangent {
  const ownHit = mask(eq(x, y), x);
  const updateHit = mul(mask(eq(u, take(y, indices, params.batchDims)), u), atUpdates(constant(y, 1), indices, params));
  const hits = add(ownHit, addInto(x.aval, indices, updateHit, params));
  const own = isNonzero(dx) ? mul(dx, ownHit) : dx;
  const total = addTangents(own, isNonzero(du) ? addInto(x.aval, indices, mul(du, updateHit), params) : new Zero(x.aval));
  return isNonzero(total) ? mul(total, div(constant(hits, 1), hits)) : total;
}

/**
 * y_i = x_i prod_j u_j over the updates j of place i. By x: the same product of dx. By u_j: x_i times the others; found pair by pair
 * (memory: updates squared) where indices may repeat, because dividing would lose updates that are zero.
 */
function product(x: NDArray, indices: NDArray, u: NDArray, dx: Tangent, du: Tangent, params: ScatterParams): Tangent {
  const byX = isNonzero(dx) ? bind1(scatter, [dx, indices, u], params) : dx;
  if (!isNonzero(du)) return byX;
  let change = mul(du, atUpdates(x, indices, params));
  if (!params.uniqueIndices) change = mul(change, productOfOthers(indices, u, x.shape[params.batchDims]!, params));
  return addTangents(byX, addInto(x.aval, indices, change, params));
}

function productOfOthers(indices: NDArray, u: NDArray, count: number, params: ScatterParams): NDArray {
  const b = params.batchDims;
  const batch = indices.shape.slice(0, b);
  const n = shape.sizeOf(indices.shape.slice(b));
  const rest = u.shape.slice(indices.ndim);
  const clipped = params.mode === "clip" ? clip(indices, count) : indices;
  const at = reshapeTo(clipped, [...batch, n]);
  const pairs = [...batch, n, n];
  const front = range(b);
  const rows = broadcastTo(at, pairs, [...front, b]);
  const columns = broadcastTo(at, pairs, [...front, b + 1]);
  const isOther = bind1(primitiveFamilies.binary.ne, [iota(pairs, b), iota(pairs, b + 1)], {});
  const counts = and(eq(rows, columns), isOther);
  const full = [...pairs, ...rest];
  const values = broadcastTo(reshapeTo(u, [...batch, n, ...rest]), full, [...front, ...range(1 + rest.length, b + 1)]);
  const factors = select(broadcastTo(counts, full, range(b + 2)), values, constant(values, 1));
  return reshapeTo(bind1(primitiveFamilies.reductions.reduceProd, [factors], { axes: [b + 1] }), u.shape);
}
const clip = (i: NDArray, count: number): NDArray => {
  const { max, min } = primitiveFamilies.binary;
  return bind1(max, [bind1(min, [i, constant(i, count - 1)], {}), constant(i, 0)], {});
};

const scatterRule: Derivative<ScatterParams> = (primitive) => ({
  jvp([x, indices, u], [dx, , du], params) {
    const y = bind1(primitive, [x!, indices!, u!], params);
    if (params.op === "max" || params.op === "min") return { primals: [y], tangents: [extremum(x!, indices!, u!, dx!, du!, y, params)] };
    if (params.op === "mul") return { primals: [y], tangents: [product(x!, indices!, u!, dx!, du!, params)] };
    if (params.op === "add" && du instanceof Zero) return { primals: [y], tangents: [dx!] };
    return { primals: [y], tangents: [bind1(primitive, [instantiate(dx!), indices!, instantiate(du!)], params)] };
  },
  transpose: ([ct], [x, indices, u], params) => transposeScatter(ct as NDArray, x!, indices as NDArray, u!, params),
});

const dynamicSliceRule: Derivative<{ readonly sizes: readonly number[] }> = (primitive) => ({
  jvp: ([x, ...starts], [dx], params) => ({ primals: [bind1(primitive, [x!, ...starts], params)], tangents: [bind1(primitive, [dx as NDArray, ...starts], params)] }),
  transpose: ([ct], [x, ...starts]) => [bind1(dynamicUpdateSlice, [fill(x!.aval, 0), ct as NDArray, ...(starts as NDArray[])], {})],
});

const dynamicUpdateSliceRule: Derivative<object> = (primitive) => ({
  jvp: ([x, u, ...starts], [dx, du], params) => ({ primals: [bind1(primitive, [x!, u!, ...starts], params)], tangents: [bind1(primitive, [instantiate(dx!), instantiate(du!), ...starts], params)] }),
  transpose([ct], [x, u, ...starts]) {
    const at = starts as NDArray[];
    return [
      isLinear(x!) ? bind1(dynamicUpdateSlice, [ct as NDArray, fill(u!.aval, 0), ...at], {}) : null,
      isLinear(u!) ? bind1(dynamicSlice, [ct as NDArray, ...at], { sizes: u!.aval.shape }) : null,
    ];
  },
});

export const indexingRules: DerivativeRules<typeof primitiveFamilies.indexing> = {
  gather: gatherRule,
  scatter: scatterRule,
  dynamicSlice: dynamicSliceRule,
  dynamicUpdateSlice: dynamicUpdateSliceRule,
};
