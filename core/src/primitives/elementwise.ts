import type { NDArray } from "../array/ndarray.js";
import { type DType, isFloat, kindOf } from "../base/dtype.js";
import { DTypeError, ProgramError, ShapeError } from "../base/errors.js";
import { formatShape, shapesEqual } from "../base/shape.js";
import { type Aval, formatAval } from "../ir/aval.js";
import type { AnyPrimitive, NoParams, Primitive, PrimitiveFacts } from "../ir/primitive.js";
import type { Expr } from "../kernel/expr.js";
import type { Lazy } from "../lower/lazy.js";
import type { LowerRule } from "../lower/lowering.js";
import type { SimplifyRule } from "../optimize/rules.js";
import type { BatchDim, BatchRule } from "../trace/batching.js";
import { definePrimitive } from "../trace/define.js";
import { alignBatch } from "./batch-axes.js";
import { bind } from "../trace/trace.js";

/** Which dtypes a function takes. */
export type DTypeClass = "float" | "number" | "integer" | "bool" | "bits" | "any";
export const accepts: Record<DTypeClass, (d: DType) => boolean> = {
  float: isFloat,
  number: (d) => d !== "bool",
  integer: (d) => kindOf(d) === "int" || kindOf(d) === "uint",
  bool: (d) => d === "bool",
  bits: (d) => !isFloat(d),
  any: () => true,
};

export function requireDTypes(name: string, inputs: readonly Aval[], cls: DTypeClass): void {
  for (const t of inputs)
    if (!accepts[cls](t.dtype)) throw new DTypeError({ fn: name, expected: `${cls === "any" ? "any" : cls} dtype`, got: formatAval(t), fix: "convert with astype" });
}

/** All shapes and dtypes equal: promotion and broadcasting have happened above. */
export function requireSame(name: string, inputs: readonly Aval[]): Aval {
  const [first, ...rest] = inputs as [Aval, ...Aval[]];
  for (const t of rest) {
    if (t.dtype !== first.dtype) throw new DTypeError({ fn: name, expected: `operands of one dtype, ${first.dtype}`, got: t.dtype, fix: "promote first: the functions of np do" });
    if (!shapesEqual(t.shape, first.shape)) throw new ShapeError({ fn: name, expected: `operands of one shape, ${formatShape(first.shape)}`, got: formatShape(t.shape), fix: "broadcast first: the functions of np do" });
  }
  return { shape: first.shape, dtype: first.dtype, weak: inputs.every((t) => t.weak) };
}

/** Batches align their batch axes at the front; values without one are broadcast. */
export const elementwiseBatch = (primitive: () => AnyPrimitive): BatchRule<object> => (axisSize, values, dims, params) => {
  const only: BatchDim | undefined = values.length === 1 ? dims[0]! : dims.every((d) => d === dims[0]) ? dims[0]! : undefined;
  const aligned = only !== undefined ? values : alignBatch(axisSize, values, dims);
  const outputs = bind(primitive(), aligned as NDArray[], params);
  return { outputs, dims: outputs.map(() => only ?? 0) };
};

export const elementwiseLower = (...bodies: ((...x: Expr[]) => Expr)[]): LowerRule<object> => (_ctx, inputs, _params, outputs) =>
  bodies.map((body, i): Lazy => ({ shape: outputs[i]!.shape, dtype: outputs[i]!.dtype, expr: body(...inputs.map((x) => x.expr)) }));

export interface ElementwiseOptions extends PrimitiveFacts {
  readonly takes: DTypeClass;
  /** Result dtype when it is not the operands'. */
  readonly gives?: DType;
  readonly lower: (...x: Expr[]) => Expr;
  readonly simplify?: SimplifyRule<object>;
}

export function elementwise(name: string, options: ElementwiseOptions): Primitive<NoParams> {
  const { takes, gives, lower } = options;
  const primitive: Primitive<NoParams> = definePrimitive({
    ...options,
    name,
    elementwise: true,
    abstractEval(inputs) {
      if (inputs.length !== lower.length) throw new ProgramError({ fn: name, expected: `${lower.length} operand${lower.length === 1 ? "" : "s"}`, got: String(inputs.length), fix: "correct the equation" });
      requireDTypes(name, inputs, takes);
      const out = requireSame(name, inputs);
      return gives ? { shape: out.shape, dtype: gives, weak: false } : out;
    },
    batch: elementwiseBatch(() => primitive),
    lower: elementwiseLower(lower),
  });
  return primitive;
}
