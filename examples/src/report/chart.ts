import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

type WithoutSchema<T> = T extends unknown ? Omit<T, "$schema"> : never;

/** A Vega-Lite chart as SVG text. */
export async function renderChart(spec: WithoutSchema<TopLevelSpec>): Promise<string> {
  const full = { $schema: "https://vega.github.io/schema/vega-lite/v6.json", background: "transparent", config: { font: "system-ui, sans-serif", axis: { gridOpacity: 0.4, labelFontSize: 11, titleFontSize: 12 }, title: { fontSize: 14, anchor: "start" } }, ...spec } as TopLevelSpec;
  const view = new vega.View(vega.parse(compile(full).spec), { renderer: "none" });
  return view.toSVG();
}
