import Table from "cli-table3";

/** Rows under a head, as a table of the terminal; numbers are aligned at the right. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const table = new Table({ head: [...head], style: { head: ["bold"], compact: true }, colAligns: head.map((_, i) => (rows.every((r) => typeof r[i] === "number" || /^-?[\d.]/.test(String(r[i]))) ? "right" : "left")) });
  table.push(...rows.map((r) => r.map(String)));
  console.log(table.toString());
}

export const heading = (text: string): void => console.log(`\n\u001b[1m${text}\u001b[0m\n`);
