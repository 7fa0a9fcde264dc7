import type { ArithmeticFn, UnaryFn } from "../../../kernel/expr.js";
import { arithmeticFunctions, unaryFunctions } from "../../../kernel/functions/index.js";
import type { FunctionRef, FunctionType, ModuleBuilder } from "../assembler/index.js";
import { functionTable } from "./index.js";
import type { FloatDType, FunctionEmitter, FunctionKey, FunctionLibrary, LaneForm } from "./contract.js";

const isUnary = (name: string): name is UnaryFn => Object.hasOwn(unaryFunctions, name);

/** The JavaScript function a module imports under this name. */
export const hostFunction = (name: UnaryFn | ArithmeticFn): ((...args: number[]) => number) =>
  (isUnary(name) ? unaryFunctions[name] : arithmeticFunctions[name]) as (...args: number[]) => number;

/** The elementary functions of one module: each form is added when first asked for. */
export class ModuleFunctions implements FunctionLibrary {
  private readonly known = new Map<string, FunctionRef>();
  /** Names of the JavaScript functions that the module imports from "functions". */
  readonly hostNames = new Set<UnaryFn | ArithmeticFn>();

  constructor(private readonly module: ModuleBuilder, readonly relaxed: boolean, private readonly tables: (key: string, bytes: () => Uint8Array) => number) {}

  table(key: string, bytes: () => Uint8Array): number {
    return this.tables(key, bytes);
  }

  helper(name: string, type: FunctionType, emit: FunctionEmitter): FunctionRef {
    let f = this.known.get(name);
    if (f === undefined) {
      const builder = this.module.function(name, type.params, type.results);
      this.known.set(name, builder);
      emit(builder, this);
      f = builder;
    }
    return f;
  }

  /** Whether this form has vector code, so that it costs less than one call a lane. */
  static isVectorized(name: UnaryFn | ArithmeticFn, dtype: FloatDType): boolean {
    return functionTable[`${name}.${dtype}.v128`] !== undefined;
  }

  elementary(name: UnaryFn | ArithmeticFn, dtype: FloatDType, form: LaneForm): FunctionRef {
    const key: FunctionKey = `${name}.${dtype}.${form}`;
    const arity = isUnary(name) ? 1 : 2;
    const lane = dtype === "float32" ? "f32" : "f64";
    const value = form === "v128" ? "v128" : lane;
    const type: FunctionType = { params: new Array<typeof value>(arity).fill(value), results: [value] };
    const own = functionTable[key];
    if (own) return this.helper(key, type, own);
    const shape = dtype === "float32" ? "f32x4" : "f64x2";
    if (form === "scalar") {
      if (ModuleFunctions.isVectorized(name, dtype))
        return this.helper(key, type, (f) => {
          for (let i = 0; i < arity; i++) f.get(i).op(`${shape}.splat`);
          f.call(this.elementary(name, dtype, "v128")).lane(`${shape}.extract_lane`, 0);
        });
      this.hostNames.add(name);
      const host = this.module.importFunction("functions", name, { params: new Array<"f64">(arity).fill("f64"), results: ["f64"] });
      if (dtype === "float64") return host;
      return this.helper(key, type, (f) => {
        for (let i = 0; i < arity; i++) f.get(i).op("f64.promote_f32");
        f.call(host).op("f32.demote_f64");
      });
    }
    return this.helper(key, type, (f) => {
      const scalar = this.elementary(name, dtype, "scalar");
      const lanes = dtype === "float32" ? 4 : 2;
      f.get(0);
      for (let l = 0; l < lanes; l++) {
        for (let i = 0; i < arity; i++) f.get(i).lane(`${shape}.extract_lane`, l);
        f.call(scalar).lane(`${shape}.replace_lane`, l);
      }
    });
  }
}
