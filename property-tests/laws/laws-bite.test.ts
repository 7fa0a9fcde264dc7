import * as autodiff from "@hessia/autodiff";
import { defineDerivative, elementwise, linear } from "@hessia/autodiff/extend";
import { type NDArray, np } from "@hessia/core";
import { type AnyPrimitive, definePrimitive, defineRule, type NoParams, type Primitive, type PrimitiveDefinition, scalar } from "@hessia/core/extend";
import { derivativeLaws, type Law, LawViolation, primitiveLaws, realInput, samples } from "@hessia/core/testing";
import { describe, expect, it } from "vitest";

/** x * sin(x), right in everything except what a test breaks. */
function product(name: string, broken: Partial<PrimitiveDefinition<NoParams>> = {}, partial: (x: NDArray) => NDArray = (x) => np.add(np.sin(x), np.multiply(x, np.cos(x)))): Primitive<NoParams> {
  const primitive: Primitive<NoParams> = definePrimitive<NoParams>({
    name: `bite.${name}`,
    elementwise: true,
    abstractEval: ([x]) => x!,
    batch: (_n, [x], [d]) => ({ outputs: [np.multiply(x!, np.sin(x!))], dims: [d!] }),
    lower: (_ctx, [x]) => [{ ...x!, expr: scalar.binary("mul", x!.expr, scalar.unary("sin", x!.expr)) }],
    ...broken,
  });
  defineRule(primitive, samples, () => [{ inputs: [realInput([2, 3])], params: {} }]);
  defineDerivative(primitive, elementwise((x) => partial(x!)));
  return primitive;
}

async function broken(laws: readonly Law[]): Promise<string[]> {
  const names: string[] = [];
  for (const law of laws) {
    try {
      await law.check();
    } catch (e) {
      if (!(e instanceof LawViolation)) throw e;
      names.push(law.name);
    }
  }
  return names;
}
const all = (p: AnyPrimitive) => broken([...primitiveLaws(p), ...derivativeLaws(p, autodiff)]);

describe("the laws", () => {
  it("hold for a primitive that is right, and say how many cases they tried", async () => {
    const p = product("right");
    expect(await all(p)).toEqual([]);
    for (const law of derivativeLaws(p, autodiff)) expect(await law.check(), law.name).toBeGreaterThan(0);
  });

  it("find a wrong derivative", async () => {
    const names = await all(product("derivative", {}, (x) => np.add(np.sin(x), np.cos(x))));
    expect(names).toContain("jvp equals central differences");
  });

  it("find a first derivative whose own derivative is cut off", async () => {
    const names = await all(product("second", {}, (x) => autodiff.stopGradient(np.add(np.sin(x), np.multiply(x, np.cos(x))))));
    expect(names).not.toContain("jvp equals central differences");
    expect(names).toContain("the Hessian equals differences of the gradient");
  });

  it("find a derivative that is lost at third order only", async () => {
    const names = await all(product("third", {}, (x) => {
      // f' with the right value and slope and no curvature: f'(c) + f''(c) (x - c) at c = stopGradient(x).
      const c = autodiff.stopGradient(x);
      const slope = np.subtract(np.multiply(2, np.cos(c)), np.multiply(c, np.sin(c)));
      return np.add(np.add(np.sin(c), np.multiply(c, np.cos(c))), np.multiply(slope, np.subtract(x, c)));
    }));
    expect(names).toContain("third derivatives equal differences of the second");
    expect(names).not.toContain("jvp equals central differences");
  });

  it("find a wrong batching rule", async () => {
    expect(await all(product("batch", { batch: (_n, [x], [d]) => ({ outputs: [np.multiply(x!, np.cos(x!))], dims: [d!] }) }))).toContain("vmap equals a loop");
    expect(await all(product("axis", { batch: (_n, [x]) => ({ outputs: [np.multiply(x!, np.sin(x!))], dims: [0] }) }))).toContain("vmap equals a loop");
  });

  it("find a missing rule", async () => {
    const bare = definePrimitive<NoParams>({ name: "bite.bare", abstractEval: ([x]) => x!, lower: (_ctx, [x]) => [x!] });
    defineRule(bare, samples, () => [{ inputs: [realInput([2])], params: {} }]);
    expect(await broken(primitiveLaws(bare).slice(0, 1))).toEqual(["has its rules"]);
  });

  it("find a transpose that is not the adjoint", async () => {
    const twice: Primitive<NoParams> = definePrimitive<NoParams>({
      name: "bite.twice", linear: true, abstractEval: ([x]) => x!,
      batch: (_n, [x], [d]) => ({ outputs: [np.multiply(x!, 2)], dims: [d!] }),
      lower: (_ctx, [x]) => [{ ...x!, expr: scalar.binary("add", x!.expr, x!.expr) }],
    });
    defineRule(twice, samples, () => [{ inputs: [realInput([3])], params: {} }]);
    defineDerivative(twice, linear((ct) => [np.multiply(3, ct)]));
    const names = await all(twice);
    expect(names).toContain("vjp is the adjoint of jvp");
    expect(names).not.toContain("jvp equals central differences");
  });

  it("refuse a primitive that they cannot feed", async () => {
    const hungry = definePrimitive<NoParams>({ name: "bite.hungry", abstractEval: ([x]) => x! });
    await expect(Promise.all(primitiveLaws(hungry).map(async (law) => law.check()))).rejects.toThrow(/samples rule/);
  });
});
