import { ByteWriter } from "./bytes.js";
import { FunctionBuilder, valueTypeCodes } from "./function-builder.js";
import type { FunctionRef, FunctionType, Global, ValueType } from "./function-builder.js";
import { disassemble } from "./disassemble.js";

interface ImportedFunction extends FunctionRef {
  readonly module: string;
  readonly field: string;
}

interface GlobalEntry {
  readonly type: ValueType;
  readonly mutable: boolean;
  readonly init: number;
}

const typeKey = (t: FunctionType): string => `${t.params.join(",")}>${t.results.join(",")}`;

/** The distinct types of functions, numbered. */
class TypeTable {
  readonly all: FunctionType[] = [];
  private readonly ids = new Map<string, number>();

  constructor(functions: readonly FunctionRef[]) {
    for (const { type } of functions) {
      const key = typeKey(type);
      if (!this.ids.has(key)) this.ids.set(key, this.all.push(type) - 1);
    }
  }

  idOf({ type }: FunctionRef): number { return this.ids.get(typeKey(type))!; }
}

/** Writes how many items there are, then each. */
function list<T>(w: ByteWriter, items: readonly T[], write: (item: T) => void): void {
  w.unsigned(items.length);
  items.forEach(write);
}

/** The entry of a function in the code section: its locals in runs of one type, and its instructions with the calls' targets put in. */
function writeBody(w: ByteWriter, f: FunctionBuilder, indices: ReadonlyMap<FunctionRef, number>): void {
  for (const { at, target } of f.calls) {
    const id = indices.get(target);
    if (id === undefined) throw new Error(`${f.name} calls ${target.name}, which is not in the module`);
    f.body.patch(at, id);
  }
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of f.locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  const head = new ByteWriter();
  list(head, runs, (r) => head.unsigned(r.count).byte(valueTypeCodes[r.type]));
  w.unsigned(head.length + f.body.length + 1).bytes(head.view()).bytes(f.body.view()).byte(0x0b);
}

/** Collects the parts of one module: an imported memory, imported and defined functions, globals, exports. */
export class ModuleBuilder {
  private readonly imports: ImportedFunction[] = [];
  private readonly functions: FunctionBuilder[] = [];
  private readonly exports: { readonly name: string; readonly target: FunctionRef }[] = [];
  private readonly globals: GlobalEntry[] = [];
  private memory: { module: string; field: string; initial: number; maximum: number; shared: boolean } | undefined;

  /** The memory that loads and stores go to; sizes in pages of 64 KiB. */
  importMemory(module: string, field: string, initial: number, maximum: number, shared = false): this {
    this.memory = { module, field, initial, maximum, shared };
    return this;
  }

  importFunction(module: string, field: string, type: FunctionType): FunctionRef {
    const known = this.imports.find((i) => i.module === module && i.field === field);
    if (known) return known;
    const entry: ImportedFunction = { name: `${module}.${field}`, type, module, field };
    this.imports.push(entry);
    return entry;
  }

  /** A function whose body the caller writes next. */
  function(name: string, params: readonly ValueType[], results: readonly ValueType[] = []): FunctionBuilder {
    const f = new FunctionBuilder(name, { params, results });
    this.functions.push(f);
    return f;
  }

  /** A mutable i32 global of this module. */
  global(type: "i32", init = 0): Global {
    this.globals.push({ type, mutable: true, init });
    return this.globals.length - 1;
  }

  export(name: string, target: FunctionRef): this {
    this.exports.push({ name, target });
    return this;
  }

  private indices(): Map<FunctionRef, number> {
    return new Map<FunctionRef, number>([...this.imports, ...this.functions].map((f, i) => [f, i]));
  }

  /** The binary module. */
  finish(): Uint8Array<ArrayBuffer> {
    const indices = this.indices();
    const types = new TypeTable([...this.imports, ...this.functions]);
    const out = new ByteWriter();
    out.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    const section = (id: number, write: (w: ByteWriter) => void): void => {
      const w = new ByteWriter();
      write(w);
      out.byte(id).unsigned(w.length).bytes(w.view());
    };
    section(1, (w) => list(w, types.all, (t) => {
      w.byte(0x60);
      list(w, t.params, (p) => w.byte(valueTypeCodes[p]));
      list(w, t.results, (r) => w.byte(valueTypeCodes[r]));
    }));
    section(2, (w) => {
      w.unsigned(this.imports.length + (this.memory ? 1 : 0));
      if (this.memory) {
        const { module, field, initial, maximum, shared } = this.memory;
        w.name(module).name(field).byte(0x02).byte(shared ? 3 : 1).unsigned(initial).unsigned(maximum);
      }
      for (const i of this.imports) w.name(i.module).name(i.field).byte(0x00).unsigned(types.idOf(i));
    });
    section(3, (w) => list(w, this.functions, (f) => w.unsigned(types.idOf(f))));
    if (this.globals.length > 0)
      section(6, (w) => list(w, this.globals, (g) => w.byte(valueTypeCodes[g.type]).byte(g.mutable ? 1 : 0).byte(0x41).signed(g.init).byte(0x0b)));
    section(7, (w) => list(w, this.exports, (e) => w.name(e.name).byte(0x00).unsigned(indices.get(e.target)!)));
    section(10, (w) => list(w, this.functions, (f) => writeBody(w, f, indices)));
    // Custom section "name", function names: they appear in stack traces, profiles and validation errors.
    section(0, (w) => {
      w.name("name");
      const names = new ByteWriter();
      list(names, [...this.imports, ...this.functions], (f) => names.unsigned(indices.get(f)!).name(f.name));
      w.byte(1).unsigned(names.length).bytes(names.view());
    });
    return out.view().slice();
  }

  /** The defined functions in the text format's instructions, one a line, indented by blocks. */
  text(): string {
    const names = [...this.imports, ...this.functions].map((f) => f.name);
    const indices = this.indices();
    const imports = this.imports.map((i) => `(import $${i.name} (${i.type.params.join(" ")}) -> (${i.type.results.join(" ")}))`);
    const bodies = this.functions.map((f) => {
      for (const { at, target } of f.calls) f.body.patch(at, indices.get(target)!);
      return disassemble(f, (i) => names[i] ?? String(i));
    });
    return [...imports, ...bodies].join("\n");
  }
}
