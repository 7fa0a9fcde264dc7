/** RESULTS.md is made of sections, so that a run of one task replaces that task alone. */

export interface Section {
  /** Node, threads and flags. */
  readonly heading: string;
  readonly task: string;
  readonly text: string;
}

const introduction = `# Hessia beside its peers

Written by \`npm run bench\` (see README.md). Each system runs in a process of its own and they take turns, round by round; times are medians, and in
brackets stands how many times as long a system takes as ours: the median of the ratios round by round. ✓ and ✗ say whether a bar is met. Every
answer is compared with a plain double-precision reference first: "off" is an answer outside the tolerance, **wrong** one that is no answer (such a
system counts in no bar; ours is wrong as soon as it is off). Distances are relative to the size of the values.
`;

const mark = (s: Pick<Section, "heading" | "task">): string => `<!-- ${s.heading} / ${s.task} -->`;

function parse(text: string): Section[] {
  const parts = text.split(/^<!-- (.+) \/ (\S+) -->\n/m);
  const out: Section[] = [];
  for (let i = 1; i + 2 < parts.length; i += 3) out.push({ heading: parts[i]!, task: parts[i + 1]!, text: parts[i + 2]!.replace(/\n## .*\n*$/s, "").trim() });
  return out;
}

/** How many bars each run met, and which it missed: read from the last column of the tables. */
function summary(sections: readonly Section[], headings: readonly string[]): string {
  const lines = headings.map((heading) => {
    let met = 0;
    const missed: string[] = [];
    for (const s of sections.filter((section) => section.heading === heading))
      for (const row of s.text.split("\n").filter((line) => line.startsWith("| "))) {
        const cells = row.slice(2, -2).split(" | ");
        for (const verdict of (cells.at(-1) ?? "").split("; "))
          if (verdict.startsWith("✓")) met++;
          else if (verdict.startsWith("✗")) missed.push(`${s.task} ${cells[0]}: ${verdict.slice(2)}`);
      }
    return `| ${heading} | ${met} of ${met + missed.length} | ${missed.join("<br>")} |`;
  });
  return `| run | bars met | missed |\n| --- | --- | --- |\n${lines.join("\n")}\n`;
}

/** The file with these sections in place of older ones of the same heading and task. */
export function mergeSections(file: string, added: readonly Section[]): string {
  const sections = new Map(parse(file).map((s) => [mark(s), s]));
  for (const s of added) sections.set(mark(s), s);
  const all = [...sections.values()];
  const headings = [...new Set(all.map((s) => s.heading))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return `${introduction}\n${summary(all, headings)}\n${headings.map((heading) => `## ${heading}\n\n${all.filter((s) => s.heading === heading).map((s) => `${mark(s)}\n${s.text.trim()}\n`).join("\n")}`).join("\n")}`;
}
