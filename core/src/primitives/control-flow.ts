import type { NDArray } from "../array/ndarray.js";
import { ProgramError } from "../base/errors.js";
import { type Shape, sizeOf } from "../base/shape.js";
import { type Aval, formatAval, sameType } from "../ir/aval.js";
import type { Primitive } from "../ir/primitive.js";
import { binary, type BufferId, constant, type Expr } from "../kernel/expr.js";
import { fromBuffer, type Lazy } from "../lower/lazy.js";
import { type Lowering, scalarLoad } from "../lower/lowering.js";
import type { BatchDim } from "../trace/batching.js";
import { definePrimitive } from "../trace/define.js";
import { bind, bind1 } from "../trace/trace.js";
import { stage } from "../trace/stage.js";
import { evaluateProgram } from "../trace/evaluate.js";
import { scalar } from "../array/concrete.js";
import { ge } from "./binary.js";
import { batchProgram, call } from "./call.js";
import type { CondParams, ScanParams, WhileParams } from "./control-flow-params.js";
import { hoistScan, hoistWhile, pruneCond, pruneScan, pruneWhile } from "./control-flow-passes.js";
import { splitScan } from "./scan-split.js";
import { moveBatch, toBatch } from "./batch-axes.js";
import { reduceOr } from "./reductions.js";
import { broadcastTo } from "./structural-ops.js";
import { convertTo, select } from "./types.js";

function requireTypes(fn: string, what: string, expected: readonly Aval[], got: readonly Aval[]): void {
  const bad = expected.findIndex((t, i) => !got[i] || !sameType(t, got[i]!));
  if (bad >= 0 || expected.length !== got.length)
    throw new ProgramError({ fn, arg: what, expected: expected.map(formatAval).join(", "), got: got.map(formatAval).join(", "), fix: "keep shapes and dtypes fixed; convert with astype" });
}

export const cond: Primitive<CondParams> = definePrimitive({
  name: "cond",
  prune: pruneCond,
  abstractEval([index, ...operands], { branches }) {
    requireTypes("cond", "index", [{ shape: [], dtype: "int32", weak: false }], [index!]);
    for (const b of branches) {
      requireTypes("cond", "operands", b.inputTypes, operands);
      requireTypes("cond", "branch outputs", branches[0]!.outputTypes, b.outputTypes);
    }
    return branches[0]!.outputTypes.map((t, i) => ({ ...t, weak: branches.every((b) => b.outputTypes[i]!.weak) }));
  },
  batch(n, [index, ...operands], [di, ...dims], { branches }) {
    if (di === null) {
      const wide = branches.map((b) => batchProgram(b, n, dims, true).program);
      const outputs = bind(cond, [index!, ...operands], { branches: wide });
      return { outputs, dims: outputs.map(() => 0) };
    }
    // Examples may take different branches: run them all and choose.
    const results = branches.map((b) => bind(call, operands.map((x, i) => toBatch(n, x, dims[i]!)), { program: batchProgram(b, n, operands.map(() => 0), true).program, name: "branch" }));
    const chosen = results[0]!.map((_, k) => results.slice(1).reduce<NDArray>((acc, r, j) => {
      const here = bind1(ge, [index!, broadcastTo(scalar(j + 1, "int32", false), index!.shape, [])], {});
      const y = r[k]!;
      return bind1(select, [broadcastTo(here, y.shape, [0]), y, acc], {});
    }, results[0]![k]!));
    return { outputs: chosen, dims: chosen.map(() => 0) };
  },
  lower(ctx, [index, ...operands], { branches }, outputs) {
    const inputs = operands.map((x) => ctx.settle(x));
    const at = ctx.buffer(index!);
    const results = outputs.map((t) => ctx.newBuffer(t.dtype, sizeOf(t.shape)));
    const bodies = branches.map((b) => ctx.block(() => storeAll(ctx, ctx.program(b, inputs), results)).steps);
    ctx.emit({ kind: "branch", index: at, branches: bodies });
    return results.map((id, i) => fromBuffer(id, outputs[i]!.shape, outputs[i]!.dtype));
  },
});

/** Writes values to given buffers. */
function storeAll(ctx: Lowering, values: readonly Lazy[], buffers: readonly BufferId[]): void {
  values.forEach((x, i) => ctx.write(x, buffers[i]!));
}

/** Next carry values may read the old ones: compute all of them before overwriting any. */
function updateCarry(ctx: Lowering, next: readonly Lazy[], carry: readonly BufferId[]): void {
  const own = new Set(carry);
  const ready = next.map((x, i) => (ctx.isWhole(x) && ctx.buffer(x) === carry[i] ? undefined : ctx.isWhole(x) && !own.has(ctx.buffer(x)) ? ctx.buffer(x) : copyOf(ctx, x)));
  ready.forEach((id, i) => id !== undefined && ctx.copy(id, carry[i]!));
}
function copyOf(ctx: Lowering, x: Lazy): BufferId {
  const id = ctx.newBuffer(x.dtype, sizeOf(x.shape));
  ctx.write(x, id);
  return id;
}
const initCarry = (ctx: Lowering, init: readonly Lazy[]): BufferId[] => init.map((x) => copyOf(ctx, x));
const carried = (buffers: readonly BufferId[], like: readonly Lazy[]): Lazy[] => buffers.map((id, i) => fromBuffer(id, like[i]!.shape, like[i]!.dtype));

export const scan: Primitive<ScanParams> = definePrimitive({
  name: "scan",
  prune: pruneScan,
  hoist: hoistScan,
  split: splitScan,
  abstractEval(inputs, { program, constants, carry, length }) {
    const xs = inputs.slice(constants + carry).map((t) => ({ ...t, shape: t.shape.slice(1) }));
    requireTypes("scan", "inputs", program.inputTypes, [...inputs.slice(0, constants + carry), ...xs]);
    requireTypes("scan", "carry", inputs.slice(constants, constants + carry), program.outputTypes.slice(0, carry));
    return program.outputTypes.map((t, i) => (i < carry ? { ...t, weak: t.weak && inputs[constants + i]!.weak } : { ...t, shape: [length, ...t.shape] }));
  },
  batch(n, values, dims, { program, constants, carry, ...rest }) {
    // A carry is batched if its start is or if the body makes it so: iterate to the fixed point.
    let carryBatched = dims.slice(constants, constants + carry).map((d) => d !== null);
    const xsDims = dims.slice(constants + carry).map((d) => (d === null ? null : 0));
    const inner = (c: readonly boolean[]): BatchDim[] => [...dims.slice(0, constants), ...c.map((b) => (b ? 0 : null)), ...xsDims];
    for (;;) {
      const { outDims } = batchProgram(program, n, inner(carryBatched), false);
      const next = carryBatched.map((b, i) => b || outDims[i] !== null);
      if (next.every((b, i) => b === carryBatched[i])) break;
      carryBatched = next;
    }
    const wide = batchProgram(program, n, inner(carryBatched), program.outputs.map((_, i) => (i < carry ? carryBatched[i]! : true)));
    const inputs = values.map((x, i) => {
      if (i < constants) return x;
      if (i < constants + carry) return carryBatched[i - constants] ? toBatch(n, x, dims[i]!) : x;
      return dims[i] === null ? x : moveBatch(x, dims[i]!, 1);
    });
    const outputs = bind(scan, inputs, { program: wide.program, constants, carry, ...rest });
    return { outputs, dims: outputs.map((_, i) => (i < carry ? (carryBatched[i] ? 0 : null) : 1)) };
  },
  lower(ctx, inputs, { program, constants, carry, length, reverse }, outputs) {
    const fixed = inputs.slice(0, constants).map((x) => ctx.settle(x));
    const init = inputs.slice(constants, constants + carry);
    const xs = inputs.slice(constants + carry).map((x) => ctx.materialize(x));
    const state = initCarry(ctx, init);
    const stacked = outputs.slice(carry).map((t) => ctx.newBuffer(t.dtype, sizeOf(t.shape)));
    if (length > 0) {
      const counter = ctx.newBuffer("int32", 1);
      const i = scalarLoad(counter, "int32");
      const { steps } = ctx.block(() => {
        const given = [...fixed, ...carried(state, init), ...xs.map((x) => rowOf(ctx, x, i))];
        const store = (k: number, y: Lazy): void => ctx.write(y, stacked[k]!, undefined, rowBase(i, sizeOf(y.shape)));
        // The carry itself is stored before anything is computed, so that the next one may take its place.
        const kept = program.outputs.slice(carry).map((y) => program.inputs.findIndex((v) => v === y));
        kept.forEach((at, k) => at >= 0 && store(k, given[at]!));
        const results = ctx.program(program, given);
        results.slice(carry).forEach((y, k) => kept[k]! < 0 && store(k, y));
        updateCarry(ctx, results.slice(0, carry), state);
      });
      ctx.emit({ kind: "for", count: length, reverse, counter, body: steps });
    }
    return [...state, ...stacked].map((id, k) => fromBuffer(id, outputs[k]!.shape, outputs[k]!.dtype));
  },
});

const rowBase = (i: Expr, size: number): Expr => binary("mul", i, constant("int32", size));
function rowOf(ctx: Lowering, x: Lazy, i: Expr): Lazy {
  const shape: Shape = x.shape.slice(1);
  return fromBuffer(ctx.buffer(x), shape, x.dtype, rowBase(i, sizeOf(shape)));
}

export const whileLoop: Primitive<WhileParams> = definePrimitive({
  name: "while",
  prune: pruneWhile,
  hoist: hoistWhile,
  abstractEval(inputs, { condition, body, conditionConstants, bodyConstants }) {
    const carry = inputs.slice(conditionConstants + bodyConstants);
    requireTypes("whileLoop", "condition", condition.inputTypes, [...inputs.slice(0, conditionConstants), ...carry]);
    requireTypes("whileLoop", "condition result", [{ shape: [], dtype: "bool", weak: false }], condition.outputTypes);
    requireTypes("whileLoop", "body", body.inputTypes, [...inputs.slice(conditionConstants, conditionConstants + bodyConstants), ...carry]);
    requireTypes("whileLoop", "carry", carry, body.outputTypes);
    return carry.map((t, i) => ({ ...t, weak: t.weak && body.outputTypes[i]!.weak }));
  },
  batch(n, values, dims, { condition, body, conditionConstants: nc, bodyConstants: nb }) {
    const [dc, db] = [dims.slice(0, nc), dims.slice(nc, nc + nb)];
    let carryBatched = dims.slice(nc + nb).map((d) => d !== null);
    let predicateBatched = false;
    const asDims = () => carryBatched.map((b): BatchDim => (b ? 0 : null));
    for (;;) {
      predicateBatched = batchProgram(condition, n, [...dc, ...asDims()], false).outDims[0] !== null;
      const { outDims } = batchProgram(body, n, [...db, ...asDims()], false);
      const next = carryBatched.map((b, i) => b || outDims[i] !== null || predicateBatched);
      if (next.every((b, i) => b === carryBatched[i])) break;
      carryBatched = next;
    }
    const wideCondition = batchProgram(condition, n, [...dc, ...asDims()], predicateBatched).program;
    const wideBody = batchProgram(body, n, [...db, ...asDims()], carryBatched).program;
    const init = values.slice(nc + nb).map((x, i) => (carryBatched[i] ? toBatch(n, x, dims[nc + nb + i]!) : x));
    const constants = values.slice(0, nc + nb);
    const outDims = asDims();
    if (!predicateBatched) return { outputs: bind(whileLoop, [...constants, ...init], { condition: wideCondition, body: wideBody, conditionConstants: nc, bodyConstants: nb }), dims: outDims };
    // Examples stop at different times: run while any goes on, and keep the carry of those that have stopped.
    const carryTypes = init.map((x) => x.aval);
    const anyRunning = stage((...xs) => [bind1(reduceOr, evaluateProgram(wideCondition, xs), { axes: [0] })], [...constants.slice(0, nc).map((x) => x.aval), ...carryTypes], "vmap of whileLoop");
    const step = stage((...xs) => {
      const carry = xs.slice(nc + nb);
      const [running] = evaluateProgram(wideCondition, [...xs.slice(0, nc), ...carry]);
      return evaluateProgram(wideBody, [...xs.slice(nc, nc + nb), ...carry]).map((y, i) => bind1(select, [broadcastTo(running!, y.shape, [0]), convertTo(y, carry[i]!.dtype, carry[i]!.weak), carry[i]!], {}));
    }, [...constants.map((x) => x.aval), ...carryTypes], "vmap of whileLoop");
    const outputs = bind(whileLoop, [...constants.slice(0, nc), ...constants, ...init], { condition: anyRunning.program, body: step.program, conditionConstants: nc, bodyConstants: nc + nb });
    return { outputs, dims: outDims };
  },
  lower(ctx, inputs, { condition, body, conditionConstants: nc, bodyConstants: nb }, outputs) {
    const fixed = inputs.slice(0, nc + nb).map((x) => ctx.settle(x));
    const init = inputs.slice(nc + nb);
    const state = initCarry(ctx, init);
    const predicate = ctx.newBuffer("bool", 1);
    const test = ctx.block(() => storeAll(ctx, ctx.program(condition, [...fixed.slice(0, nc), ...carried(state, init)]), [predicate]));
    const step = ctx.block(() => updateCarry(ctx, ctx.program(body, [...fixed.slice(nc), ...carried(state, init)]), state));
    ctx.emit({ kind: "while", condition: test.steps, predicate, body: step.steps });
    return state.map((id, i) => fromBuffer(id, outputs[i]!.shape, outputs[i]!.dtype));
  },
});

export const controlFlowPrimitives = { cond, scan, while: whileLoop };
export type { CondParams, ScanParams, WhileParams };
