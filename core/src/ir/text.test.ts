import { describe, expect, it } from "vitest";
import "../index.js";
import type { NDArray } from "../array/ndarray.js";
import { ProgramError } from "../base/errors.js";
import * as np from "../numpy/index.js";
import { add, mul } from "../primitives/binary.js";
import { sin } from "../primitives/unary.js";
import { sort } from "../primitives/sort.js";
import { primitiveFamilies } from "../primitives/index.js";
import { installCoreSamples } from "../testing/core-samples.js";
import { samplesOf } from "../testing/samples.js";
import { definePrimitive } from "../trace/define.js";
import { evaluateProgram } from "../trace/evaluate.js";
import { cond } from "../transforms/cond.js";
import { jit, makeProgram } from "../transforms/jit.js";
import { scan } from "../transforms/scan.js";
import { aval } from "./aval.js";
import { checkProgram } from "./check.js";
import { programKey } from "./params-key.js";
import { parseProgram } from "./parse.js";
import { type AnyPrimitive } from "./primitive.js";
import { printProgram } from "./print.js";
import { Literal, Program, ProgramBuilder, Var } from "./program.js";

installCoreSamples();

function roundTrip(program: Program): Program {
  const text = printProgram(program);
  checkProgram(program);
  const back = parseProgram(text);
  checkProgram(back);
  expect(printProgram(back)).toBe(text);
  if (program.constants.length === 0) expect(programKey(back)).toBe(programKey(program));
  return back;
}

describe("printing and parsing", () => {
  it("has one equation a line", () => {
    const f = (x: NDArray, y: NDArray) => np.sum(np.multiply(np.sin(x), y));
    const program = makeProgram(f)(np.ones([3]), np.array(2));
    expect(String(program)).toBe(`{ lambda a:float64[3] b:float64[] .
  let c:float64[3] = sin a
      d:float64[3] = broadcast[shape=[3] dims=[]] b
      e:float64[3] = mul c d
      f:float64[] = reduceSum[axes=[0]] e
  in (f) }`);
    roundTrip(program);
  });

  it("indents nested Programs", () => {
    const program = makeProgram((x: NDArray) => cond(np.greater(x, 0), (y: NDArray) => np.sin(y), (y: NDArray) => scan((c: NDArray, v: NDArray) => [np.add(c, v), np.multiply(c, 2)] as [NDArray, NDArray], y, np.ones([3]))[0], x))(np.array(1));
    const text = printProgram(program);
    expect(text).toMatch(/cond\[branches=\[\n {8}\s*\{ lambda/);
    roundTrip(program);
    const inner = jit(np.tanh, { name: "inner" });
    roundTrip(makeProgram((x: NDArray) => inner(inner(x)))(np.ones([2, 3])));
  });

  it.each(Object.values(primitiveFamilies).flatMap((family) => Object.values(family) as AnyPrimitive[]).map((p) => [p.name, p] as const))("%s round-trips on its samples", (_name, primitive) => {
    for (const { inputs, params } of samplesFor(primitive)) {
      const b = new ProgramBuilder();
      const outputs = b.equation(primitive, inputs.map((i) => b.input(aval(i.shape, i.dtype))), params);
      roundTrip(b.build(outputs));
    }
  });
  const samplesFor = (p: AnyPrimitive) => {
    const list = samplesOf(p);
    expect(list.length).toBeGreaterThan(0);
    return list;
  };

  it("keeps literals, weak types, passed-through inputs and special numbers", () => {
    const b = new ProgramBuilder();
    const x = b.input(aval([], "float64", true));
    const unused = b.input(aval([2, 0], "uint32"));
    let y = x;
    for (const v of [0.1, -0, NaN, Infinity, -Infinity, 5e-324, 1e21]) [y] = b.equation(add, [y, new Literal(v, aval([], "float64", true))], {}) as [Var];
    const program = b.build([y, unused, new Literal(true, aval([], "bool")), new Literal(3, aval([], "int32"))]);
    const back = roundTrip(program);
    expect(Object.is((back.equations[1]!.inputs[1] as Literal).value, -0)).toBe(true);
    expect(back.inputs[0]!.aval.weak).toBe(true);
  });

  it("keeps constants with their elements", () => {
    const b = new ProgramBuilder();
    const k = b.constant({ shape: [2, 2], dtype: "float32", weak: false, data: Float32Array.of(0.1, NaN, -0, 1e30) });
    const x = b.input(aval([2, 2], "float32"));
    const program = b.build(b.equation(mul, [x, k], {}));
    const back = roundTrip(program);
    expect(back.constants[0]!.value.data).toEqual(Float32Array.of(0.1, NaN, -0, 1e30));
    expect(evaluateProgram(back, [np.ones([2, 2], { dtype: "float32" })])[0]!.toArray()).toEqual([[Math.fround(0.1), NaN], [-0, Math.fround(1e30)]]);
  });

  it("finds functions among params again, and names of third parties", () => {
    const odd = definePrimitive<{ f: (x: number) => number; "a key": unknown; none: undefined }>({ name: "test odd\"name", abstractEval: ([x]) => x! });
    const dotted = definePrimitive({ name: "mylib/op.v-2", abstractEval: ([x]) => [x!, x!] });
    const f = (x: number) => x + 1;
    const b = new ProgramBuilder();
    const x = b.input(aval([1], "int32"));
    const [y] = b.equation(odd, [x], { f, "a key": { nested: [1, "s\n", null, true, -0], "in": {} }, none: undefined }) as [Var];
    const [z] = b.equation(dotted, [y], {}) as [Var, Var];
    const program = b.build([z]);
    const text = printProgram(program);
    expect(text).toMatch(/f=<fn \d+>/);
    expect((roundTrip(program).equations[0]!.params as { f: unknown }).f).toBe(f);
    const unknown = text.replace(/<fn \d+>/, "<fn 987654>");
    expect(() => parseProgram(unknown)).toThrow(/function 987654 to be known at line 2/);
    expect((parseProgram(unknown, { functions: new Map([[987654, f]]) }).equations[0]!.params as { f: unknown }).f).toBe(f);
  });

  it("numbers more than 26 variables, skipping keywords", () => {
    const b = new ProgramBuilder();
    let y = b.input(aval([], "float64"));
    for (let i = 0; i < 900; i++) [y] = b.equation(sin, [y], {}) as [Var];
    const text = printProgram(b.build([y]));
    expect(text).toContain("aa:float64[] = sin z");
    expect(text).not.toContain(" in:");
    roundTrip(b.build([y]));
  });

  const bad: [string, string, RegExp][] = [
    ["syntax", "{ lambda a:float64[3] .\n  let b:float64[3] = sin a\n  in (b }", /"\)" at line 3, column 9, got "}"/],
    ["no end", "{ lambda a:float64[3] .", /"let" at line 1, column 24, got the end/],
    ["dtype", "{ lambda a:float65[3] . let in (a) }", /a dtype at line 1, column 12, got "float65"/],
    ["variable", "{ lambda a:float64[3] .\nlet b:float64[3] = sin c\nin (b) }", /a variable defined above at line 2, column 24, got "c"/],
    ["primitive", "{ lambda a:float64[3] .\n\nlet b:float64[3] = sinn a\nin (b) }", /a known primitive at line 3, column 20, got "sinn"/],
    ["types", "{ lambda a:float64[3] .\nlet b:float64[2] = sin a\nin (b) }", /types fit at line 2, column 5, got .*where the primitive gives outputs float64\[3\]/],
    ["bad operands", "{ lambda a:float64[3] b:float64[2] .\nlet c:float64[3] = add a b\nin (c) }", /line 2, column 5, got .*one shape/],
    ["twice", "{ lambda a:float64[3] .\nlet a:float64[3] = sin a\nin (a) }", /a name not taken yet at line 2/],
    ["literal", "{ lambda . let in (true:float64[]) }", /literal of its own type at line 1, column 20/],
    ["constant", "{ lambda ; a:float64[2]=[1] . let in (a) }", /2 elements at line 1, column 25, got 1/],
    ["character", "{ lambda a:float64[3] ? }", /line 1, column 23/],
    ["rest", "{ lambda . let in () } x", /the end of the text at line 1, column 24/],
  ];
  it.each(bad)("says where the text is wrong: %s", (_name, text, message) => {
    expect(() => parseProgram(text)).toThrow(ProgramError);
    expect(() => parseProgram(text)).toThrow(message);
  });
  it("allows comments and free layout", () => {
    const program = parseProgram("{ lambda a:int32[2] b:float64[2] . # two keys\n let c:int32[2] d:float64[2]=sort[axis=0 keys=2]a b in(d,c)}");
    expect(program.equations[0]!.primitive).toBe(sort);
    expect(program.outputs).toEqual([program.equations[0]!.outputs[1], program.equations[0]!.outputs[0]]);
  });
});

describe("checkProgram", () => {
  const t = aval([2], "float64");
  const [x, y, z] = [new Var(t), new Var(t), new Var(t)];
  const eq = (output: Var, ...inputs: (Var | Literal)[]) => ({ primitive: inputs.length === 1 ? sin : add, inputs, params: {}, outputs: [output] });
  const list: [string, Program, RegExp][] = [
    ["use before definition", new Program([x], [], [eq(y, z), eq(z, x)], [y]), /equation 0 \(sin\).*an earlier equation/],
    ["assigned twice", new Program([x], [], [eq(y, x), eq(y, x)], [y]), /equation 1 \(sin\).*assigned once/],
    ["input twice", new Program([x, x], [], [], []), /input 1/],
    ["free output", new Program([x], [], [], [y]), /output 0/],
    ["wrong type", new Program([x], [], [eq(new Var(aval([3], "float64")), x)], []), /outputs float64\[2\]/],
    ["wrong operands", new Program([x], [], [eq(y, x, new Literal(1, aval([], "float64")))], [y]), /equation 0 \(add\).*that the primitive takes/],
    ["literal of wrong kind", new Program([], [], [], [new Literal(true, aval([], "int32"))]), /literal of its dtype/],
    ["short constant", new Program([], [{ variable: x, value: { ...t, data: new Float64Array(1) } }], [], [x]), /2 elements in a Float64Array/],
  ];
  it.each(list)("finds %s", (_name, program, message) => {
    expect(() => checkProgram(program)).toThrow(ProgramError);
    expect(() => checkProgram(program)).toThrow(message);
  });
  it("looks into nested Programs", () => {
    const good = makeProgram((v: NDArray) => jit(np.sin, { name: "f" })(v))(np.ones([2]));
    const e = good.equations[0]!;
    const broken = new Program([x], [], [eq(y, z)], [y]);
    const outer = new Program(good.inputs, [], [{ ...e, params: { ...e.params, program: broken } }], good.outputs);
    expect(() => checkProgram(outer)).toThrow(/equation 0 \(call\), program: equation 0 \(sin\)/);
    checkProgram(good);
  });
});
