/** The programs in a Markdown file: its ```ts blocks, with the outputs that the text claims for them. */

export interface OutputBlock {
  /** Position of the ts block, within its program, after which this is printed. */
  readonly after: number;
  readonly text: string;
  /** Lines of the file that hold the text: first and one past the last, counted from 0. */
  readonly from: number;
  readonly to: number;
}

/** One ts block with those that continue it. */
export interface SnippetProgram {
  /** 1-based line of the first block's first line of code. */
  readonly line: number;
  readonly blocks: readonly { readonly text: string; readonly from: number; readonly to: number }[];
  readonly outputs: readonly OutputBlock[];
  /** What has to be there for it to run, from `<!-- needs webgpu -->`. */
  readonly needs: string | undefined;
}

const fence = /^(`{3,})\s*(\w*)\s*$/;
const directive = /^<!--\s*(continues|output|needs \w+)\s*-->$/;

/**
 * Reads the programs of a Markdown file. A ts block is a program of its own unless `<!-- continues -->` stands before it; a block under
 * `<!-- output -->` is what the ts block before it prints.
 */
export function readSnippets(markdown: string): SnippetProgram[] {
  const lines = markdown.split("\n");
  const programs: { line: number; blocks: { text: string; from: number; to: number }[]; outputs: OutputBlock[]; needs: string | undefined }[] = [];
  let pending: string | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const mark = directive.exec(line)?.[1];
    if (mark !== undefined) {
      pending = mark;
      continue;
    }
    const open = fence.exec(line);
    if (!open) {
      if (line.trim() !== "" && pending !== undefined) throw new Error(`line ${i + 1}: <!-- ${pending} --> has to stand right before a block of code`);
      continue;
    }
    const from = i + 1;
    let to = from;
    while (to < lines.length && lines[to] !== open[1]) to++;
    if (to === lines.length) throw new Error(`line ${i + 1}: a block of code without an end`);
    const text = lines.slice(from, to).join("\n");
    const last = programs.at(-1);
    if (pending === "output") {
      if (!last) throw new Error(`line ${i + 1}: an output without a program before it`);
      last.outputs.push({ after: last.blocks.length - 1, text, from, to });
    } else if (open[2] === "ts") {
      if (pending !== "continues") programs.push({ line: from + 1, blocks: [{ text, from, to }], outputs: [], needs: pending?.replace("needs ", "") });
      else if (last) last.blocks.push({ text, from, to });
      else throw new Error(`line ${i + 1}: nothing to continue`);
    } else if (pending !== undefined) throw new Error(`line ${i + 1}: <!-- ${pending} --> before a block that is not ts`);
    pending = undefined;
    i = to;
  }
  return programs;
}

/** The program with each block at its line of the Markdown file, so that messages name lines a reader can find. `between` is put after each block, on its fence's line. */
export function sourceOf(program: SnippetProgram, between: (block: number) => string = () => ""): string {
  const lines: string[] = [];
  program.blocks.forEach((block, k) => {
    while (lines.length < block.from) lines.push("");
    lines.push(...block.text.split("\n"), between(k));
  });
  return lines.join("\n");
}

/** Compares line by line; a line `...` in `expected` stands for any number of lines. Trailing blanks do not count. */
export function sameOutput(expected: string, actual: string): boolean {
  const split = (text: string): string[] => text.split("\n").map((l) => l.trimEnd());
  const [want, got] = [split(expected), split(actual)];
  const match = (i: number, j: number): boolean => {
    for (; i < want.length; i++, j++) {
      if (want[i]!.trim() === "...") return Array.from({ length: got.length - j + 1 }, (_, k) => j + k).some((next) => match(i + 1, next));
      if (j >= got.length || want[i] !== got[j]) return false;
    }
    return j === got.length;
  };
  return match(0, 0);
}
