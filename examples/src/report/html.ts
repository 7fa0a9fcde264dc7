const escape = (text: string): string => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);

export interface Section {
  readonly title: string;
  readonly text: string;
  readonly charts: readonly string[];
  readonly table?: { readonly head: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] };
}

/** One HTML file with everything in it: no scripts, no fonts or styles from elsewhere. */
export function renderReport(title: string, intro: string, sections: readonly Section[]): string {
  const table = (t: NonNullable<Section["table"]>) =>
    `<table><thead><tr>${t.head.map((h) => `<th>${escape(h)}</th>`).join("")}</tr></thead><tbody>${t.rows.map((r) => `<tr>${r.map((c) => `<td>${escape(String(c))}</td>`).join("")}</tr>`).join("")}</tbody></table>`;
  const body = sections.map((s) => `<section><h2>${escape(s.title)}</h2><p>${escape(s.text)}</p><div class="charts">${s.charts.map((c) => `<figure>${c}</figure>`).join("")}</div>${s.table ? table(s.table) : ""}</section>`).join("\n");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }
h1 { margin-bottom: 0 } h2 { margin-top: 2.5rem; border-bottom: 1px solid #d8dee4; padding-bottom: .3rem }
.charts { display: flex; flex-wrap: wrap; gap: 1rem } figure { margin: 0 } svg { max-width: 100%; height: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; margin-top: 1rem } th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #eaeef2 } th:first-child, td:first-child { text-align: left }
</style></head><body><h1>${escape(title)}</h1><p>${escape(intro)}</p>
${body}
</body></html>
`;
}
