import type { ArithmeticFn, UnaryFn } from "../../../kernel/expr.js";
import { arithmeticFunctions, unaryFunctions } from "../../../kernel/functions/index.js";
import type { FunctionRef, FunctionType, ModuleBuilder, ValueType } from "../assembler/index.js";
import { functionTable } from "./index.js";
import type { FloatDType, FunctionEmitter, FunctionKey, FunctionLibrary, LaneForm } from "./contract.js";

const isUnary = (name: string): name is UnaryFn => Object.hasOwn(unaryFunctions, name);

/** The JavaScript function a module imports under this name. */
export const hostFunction = (name: UnaryFn | ArithmeticFn): ((...args: number[]) => number) =>
  (isUnary(name) ? unaryFunctions[name] : arithmeticFunctions[name]) as (...args: number[]) => number;

const forms = { float32: { lane: "f32", shape: "f32x4", lanes: 4 }, float64: { lane: "f64", shape: "f64x2", lanes: 2 } } as const;
const functionType = (value: ValueType, arity: number): FunctionType => ({ params: new Array<ValueType>(arity).fill(value), results: [value] });

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
    const { lane, shape } = forms[dtype];
    const own = functionTable[key];
    if (own) return this.helper(key, functionType(form === "v128" ? "v128" : lane, arity), own);
    if (form === "v128") {
      const scalar = functionTable[`${name}.${dtype}.scalar`];
      return scalar ? this.laneByLane(key, name, dtype, () => this.elementary(name, dtype, "scalar")) : this.host(name, dtype);
    }
    if (!ModuleFunctions.isVectorized(name, dtype)) return this.hostScalar(name, dtype);
    return this.helper(key, functionType(lane, arity), (f) => {
      for (let i = 0; i < arity; i++) f.get(i).op(`${shape}.splat`);
      f.call(this.elementary(name, dtype, "v128")).lane(`${shape}.extract_lane`, 0);
    });
  }

  host(name: UnaryFn | ArithmeticFn, dtype: FloatDType): FunctionRef {
    return this.laneByLane(`${name}.${dtype}.host.v128`, name, dtype, () => this.hostScalar(name, dtype));
  }

  private hostScalar(name: UnaryFn | ArithmeticFn, dtype: FloatDType): FunctionRef {
    const arity = isUnary(name) ? 1 : 2;
    this.hostNames.add(name);
    const host = this.module.importFunction("functions", name, functionType("f64", arity));
    if (dtype === "float64") return host;
    return this.helper(`${name}.${dtype}.host.scalar`, functionType("f32", arity), (f) => {
      for (let i = 0; i < arity; i++) f.get(i).op("f64.promote_f32");
      f.call(host).op("f32.demote_f64");
    });
  }

  private laneByLane(key: string, name: UnaryFn | ArithmeticFn, dtype: FloatDType, scalar: () => FunctionRef): FunctionRef {
    const arity = isUnary(name) ? 1 : 2;
    const { shape, lanes } = forms[dtype];
    return this.helper(key, functionType("v128", arity), (f) => {
      const target = scalar();
      f.get(0);
      for (let l = 0; l < lanes; l++) {
        for (let i = 0; i < arity; i++) f.get(i).lane(`${shape}.extract_lane`, l);
        f.call(target).lane(`${shape}.replace_lane`, l);
      }
    });
  }
}
