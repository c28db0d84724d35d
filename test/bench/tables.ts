import {
  type Figure,
  judge,
  median,
  ratio,
  renderSpread,
  renderValue,
  type Section,
  type Table,
} from "./figures.ts";

/** A section as it is printed and as it stands in the document. */
export function renderSection({ title, figures, tables = [], notes }: Section): string {
  const all = [...(figures.length > 0 ? [figureTable(figures)] : []), ...tables];
  return [`### ${title}`, ...all.map(renderTable), notes.join("\n")]
    .filter((part) => part !== "")
    .join("\n\n");
}

const HEAD = ["work", "measured", "median", "spread", "to reach", "", "floor", "ratio"];

const MARK = { reached: "reached", missed: "**missed**", "not measured": "not measured" };

function figureTable(figures: readonly Figure[]): Table {
  return {
    head: HEAD,
    rows: figures.map((figure) => {
      const { work, measure, unit, values, floor } = figure;
      const verdict = judge(figure);
      const times = ratio(figure);
      return [
        work,
        measure,
        values.length === 0 ? "—" : renderValue(median(values), unit),
        values.length === 0 ? "" : renderSpread(values),
        renderTarget(figure),
        verdict === "no target" ? "" : MARK[verdict],
        floor === undefined || floor.values.length === 0
          ? ""
          : `${floor.name}: ${renderValue(median(floor.values), unit)}`,
        times === undefined ? "" : renderValue(times, "×"),
      ];
    }),
  };
}

function renderTarget({ unit, target, targetRatio }: Figure): string {
  if (targetRatio !== undefined) return `≤ ${renderValue(targetRatio, "×")}`;
  return target === undefined ? "" : `≤ ${renderValue(target, unit)}`;
}

/** Markdown whose columns line up, so that it reads well in a terminal too. */
export function renderTable({ head, rows }: Table): string {
  const widths = head.map((cell, column) =>
    Math.max(3, cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
