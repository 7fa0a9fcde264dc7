import { asElement, type DType, newTypedArray, type TypedArray } from "../base/dtype.js";
import { ArgumentError, BackendError, DisposedError } from "../base/errors.js";
import { formatShape } from "../base/shape.js";
import type { Backend, Storage } from "../backends/backend.js";
import { defaultBackend } from "../backends/registry.js";
import { type Aval, formatAval } from "../ir/aval.js";
import { NDArray } from "./ndarray.js";
import { formatArray } from "./print.js";

/** An array that has its elements: on the host, on a device, or both. */
export class ConcreteArray extends NDArray {
  #host: TypedArray | undefined;
  #storage: Storage | undefined;
  #gone: string | undefined;

  private constructor(readonly aval: Aval, readonly backend: Backend, host: TypedArray | undefined, storage: Storage | undefined) {
    super();
    this.#host = host;
    this.#storage = storage;
  }

  /** Takes `data` over without copying: the caller must not write to it any more. */
  static fromHost(data: TypedArray, aval: Aval, backend: Backend = defaultBackend()): ConcreteArray {
    if (!backend.dtypes.has(aval.dtype))
      throw new BackendError({ fn: "array", arg: "dtype", expected: `a dtype that the device "${backend.name}" has (${[...backend.dtypes].join(", ")})`, got: aval.dtype, fix: `use dtype "float32" there, or keep the array on "wasm"` });
    return new ConcreteArray(aval, backend, data, undefined);
  }
  static fromStorage(storage: Storage, aval: Aval, backend: Backend): ConcreteArray {
    return new ConcreteArray(aval, backend, undefined, storage);
  }

  get device(): string { return this.backend.name; }

  /** Storage on the array's device, written on first use. */
  get storage(): Storage {
    if (this.#gone) throw this.#goneError("storage");
    return (this.#storage ??= this.backend.write(this.aval.dtype, this.#host!));
  }

  /** The host copy if there is one: scalars from JavaScript numbers have it on every device. */
  get hostData(): TypedArray | undefined { return this.#gone ? undefined : this.#host; }

  get data(): TypedArray { return this.#readNow("data"); }

  #goneError(fn: string, arg?: string): DisposedError {
    return new DisposedError({ fn, arg, expected: "a live array", got: `a ${formatAval(this.aval)} array that was ${this.#gone}`, fix: this.#gone?.startsWith("donated") ? "use the jitted function's result instead, or drop donateArgnums" : "do not use arrays after dispose()" });
  }

  requireAlive(fn: string, arg?: string): void {
    if (this.#gone) throw this.#goneError(fn, arg);
  }

  #readNow(fn: string): TypedArray {
    if (this.#gone) throw this.#goneError(fn);
    if (this.#host) return this.#host;
    if (!this.backend.readSync)
      throw new BackendError({ fn, expected: "an array on a device that can be read at once", got: `one on "${this.backend.name}"`, fix: "await x.read()" });
    const view = this.backend.readSync(this.#storage!);
    const copy = newTypedArray(this.aval.dtype, view.length);
    copy.set(view);
    return (this.#host = copy);
  }

  async read(): Promise<TypedArray> {
    if (this.#gone) throw this.#goneError("read");
    if (this.#host) return this.#host.slice();
    return (await this.backend.read(this.#storage!)).slice();
  }

  /** @internal The elements without keeping a host copy; valid until the next call into the backend. */
  peek(fn = "read"): TypedArray {
    if (this.#gone) throw this.#goneError(fn);
    if (this.#host) return this.#host;
    if (!this.backend.readSync) return this.#readNow(fn);
    return this.backend.readSync(this.#storage!);
  }

  toArray(): unknown {
    const data = this.peek("toArray");
    const { shape, dtype } = this.aval;
    let next = 0;
    const build = (d: number): unknown => {
      if (d === shape.length) {
        const v = data[next++]!;
        return dtype === "bool" ? v !== 0 : v;
      }
      return Array.from({ length: shape[d]! }, () => build(d + 1));
    };
    return build(0);
  }

  item(): number | boolean {
    if (this.size !== 1)
      throw new ArgumentError({ fn: "item", arg: "this", expected: "an array with one element", got: `shape ${formatShape(this.shape)}`, fix: "index it first: x.get(0)" });
    const v = this.peek("item")[0]!;
    return this.aval.dtype === "bool" ? v !== 0 : v;
  }

  dispose(): void { this.#release("disposed"); }
  /** @internal A program has taken the storage. */
  donate(): void { this.#release("donated"); }
  /** @internal After a call that failed, to which the array was donated: whether the call had begun to write into it, so that it is gone. */
  lost(): boolean {
    if (this.#storage === undefined || !this.backend.readSync) return false;
    try {
      this.backend.readSync(this.#storage);
      return false;
    } catch {
      this.#storage = undefined;
    }
    if (this.#host) return false;
    this.#gone = "donated to a call that failed";
    return true;
  }
  #release(how: string): void {
    if (this.#gone) return;
    this.#storage?.dispose();
    this.#storage = undefined;
    this.#host = undefined;
    this.#gone = how;
  }
  get isDisposed(): boolean { return this.#gone !== undefined; }

  /** Numbers for arithmetic and comparison with JavaScript operators, for scalars only. */
  [Symbol.toPrimitive](hint: string): string | number {
    if (hint === "string") return this.toString();
    return Number(this.item());
  }
  override toString(): string { return formatArray(this.peek("toString"), this.aval.shape, this.aval.dtype); }
  [Symbol.for("nodejs.util.inspect.custom")](): string { return this.#gone ? `NDArray(${this.#gone} ${formatAval(this.aval)})` : this.backend.readSync || this.#host ? `NDArray ${formatAval(this.aval)}\n${this.toString()}` : `NDArray ${formatAval(this.aval)} on ${this.device}`; }
  toJSON(): unknown { return this.toArray(); }
}

/** A scalar made from a JavaScript number or boolean. */
export function scalar(value: number | boolean, dtype: DType, weak: boolean, backend?: Backend): ConcreteArray {
  const data = newTypedArray(dtype, 1);
  data[0] = asElement(dtype, Number(value));
  return ConcreteArray.fromHost(data, { shape: [], dtype, weak }, backend ?? defaultBackend());
}
