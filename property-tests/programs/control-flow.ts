import type { NDArray } from "@hessia/core";
import { type Aval, isFloat, primitiveFamilies as p, type Program, sameType, shape } from "@hessia/core/extend";
import { as, type Choices, ofType, pick, type Production } from "./productions.js";
import { type Scope, type Value } from "./scope.js";

/** Writes the steps of a body into a scope. */
export type Fill = (scope: Scope, choices: Choices) => void;

/** A small Program on values of the given types, tried on the values that it first meets. Its results have the wanted types. */
function body(outer: Scope, c: Choices, fill: Fill, inputs: readonly { value: NDArray; twin: NDArray }[], wanted: readonly Aval[]): Program {
  const s = outer.inner();
  for (const x of inputs) s.input(x.value, x.twin);
  fill(s, c);
  for (const name of s.used) outer.used.add(name);
  return s.build(wanted.map((t) => {
    const found = [...s.values].reverse().find((v) => sameType(v.aval, t)) ?? ofType(s, c, t) ?? s.filled(1, t)!;
    // What is carried around a loop stays in range.
    return isFloat(t.dtype) && !s.bounds.exact ? (s.apply1(p.unary.tanh, [found]) ?? found) : found;
  }));
}
const small = (v: Value): boolean => v.aval.shape.length <= 2;
const chosen = (s: Scope, c: Choices, n: number): Value[] => shape.range(n).flatMap(() => pick(s, c, small) ?? []);
const strong = (t: Aval): Aval => ({ ...t, weak: false });

/** Productions of the primitives that hold Programs. */
export const controlFlow = (fill: Fill): ReadonlyMap<string, Production> =>
  new Map<string, Production>([
    ["call", (s, c) => {
      const xs = chosen(s, c, 1 + c.next(2));
      const wanted = chosen(s, c, 1 + c.next(2)).map((v) => strong(v.aval));
      return xs.length ? s.apply(p.call.call, xs, { name: "body", program: body(s, c, fill, xs, wanted) }) : undefined;
    }],
    ["cond", (s, c) => {
      const xs = chosen(s, c, 1 + c.next(2));
      const wanted = chosen(s, c, 1).map((v) => strong(v.aval));
      const branches = shape.range(2 + c.next(2)).map(() => body(s, c, fill, xs, wanted));
      const at = pick(s, c, (v) => v.aval.dtype === "int32" && v.aval.shape.length === 0) ?? as(s, pick(s, c, (v) => v.aval.dtype === "bool" && v.aval.shape.length === 0), "int32") ?? s.literal(c.next(branches.length), "int32");
      const inside = s.apply1(p.binary.max, [s.apply1(p.binary.min, [at, s.literal(branches.length - 1, "int32")]), s.literal(0, "int32")]);
      return inside && s.apply(p.controlFlow.cond, [inside, ...xs], { branches });
    }],
    ["scan", (s, c) => {
      const walked = pick(s, c, (v) => v.aval.shape.length > 0 && v.aval.shape[0]! > 0 && v.aval.shape[0]! <= 20);
      const fixed = chosen(s, c, c.next(2));
      const carry = chosen(s, c, 1 + c.next(2));
      if (!walked || carry.length === 0) return undefined;
      const length = walked.aval.shape[0]!;
      const rest = walked.aval.shape.slice(1);
      const row = s.apply1(p.structural.reshape, [s.apply1(p.structural.slice, [walked], { start: walked.aval.shape.map(() => 0), limit: [1, ...rest], strides: walked.aval.shape.map(() => 1) })], { shape: rest });
      if (!row) return undefined;
      const wanted = [...carry, ...chosen(s, c, c.next(3))].map((v) => strong(v.aval));
      const program = body(s, c, fill, [...fixed, ...carry, row], wanted);
      return s.apply(p.controlFlow.scan, [...fixed, ...carry, walked], { program, constants: fixed.length, carry: carry.length, length, reverse: c.flag() });
    }],
    ["while", (s, c) => {
      const fixed = chosen(s, c, c.next(2));
      const carry = chosen(s, c, 1 + c.next(2));
      if (carry.length === 0) return undefined;
      const counter: Aval = { shape: [], dtype: "int32", weak: false };
      const start = s.literal(0, "int32");
      const test = s.inner();
      const count = test.input(start.value);
      carry.forEach((v) => test.input(v.value, v.twin));
      const condition = test.build([test.apply1(p.binary.lt, [count, test.literal(c.next(4), "int32")])!]);
      const inner = body(s, c, fill, [...fixed, ...carry], carry.map((v) => strong(v.aval)));
      const loop = s.inner();
      const constants = fixed.map((v) => loop.input(v.value, v.twin));
      const i = loop.input(start.value);
      const state = carry.map((v) => loop.input(v.value, v.twin));
      const next = loop.apply1(p.binary.add, [i, loop.literal(1, "int32")])!;
      const results = loop.apply(p.call.call, [...constants, ...state], { name: "body", program: inner });
      if (!results || !sameType(next.aval, counter)) return undefined;
      return s.apply(p.controlFlow.while, [...fixed, start, ...carry], { condition, body: loop.build([next, ...results]), conditionConstants: 0, bodyConstants: fixed.length })?.slice(1);
    }],
  ]);
