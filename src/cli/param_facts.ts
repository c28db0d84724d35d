import type { Alarm } from "../alarm/load_alarms.ts";
import type { ParamSpec } from "../core/param_spec.ts";
import { isJsonObject } from "../text/json.ts";
import { renderTable } from "./output.ts";

interface SpecFacts {
  readonly name: string;
  readonly type: ParamSpec["type"];
  readonly required?: boolean;
  readonly default?: unknown;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly unknown[];
  readonly description: string;
}

interface ParamFacts extends SpecFacts {
  /** Of a table. */
  readonly columns?: readonly SpecFacts[];
  readonly value: unknown;
  readonly from: "row" | "default" | "unset";
}

/** Each parameter of the module: its spec, the value in use, and where that comes from. */
export function paramFacts({ row, module }: Pick<Alarm, "row" | "module">): readonly ParamFacts[] {
  return Object.entries(module?.params ?? {}).map(([name, spec]) => {
    const given = row.params[name] ?? undefined;
    const preset = spec.default === undefined ? "unset" : "default";
    const value = given ?? spec.default;
    const from = given === undefined ? preset : "row";
    if (spec.type !== "table") return { name, ...spec, value, from };
    const columns = Object.entries(spec.columns).map(([column, rest]) => ({
      name: column,
      ...rest,
    }));
    return { name, ...spec, columns, value, from };
  });
}

export function renderParams(params: readonly ParamFacts[]): string[] {
  const rows = params.map((param) => [
    param.name,
    renderValue(param),
    param.from === "unset" ? (param.required === true ? "REQUIRED" : "optional") : param.from,
    renderType(param),
    param.description ?? "",
  ]);
  return [
    ...renderTable(["PARAMETER", "VALUE", "FROM", "TYPE", "DESCRIPTION"], rows, "no parameters"),
    ...params.flatMap(renderTableParam),
  ];
}

/** The rows of a table stand below. */
function renderValue({ value, columns }: ParamFacts): string {
  if (value === undefined) return "-";
  const isTable = columns !== undefined && Array.isArray(value);
  return isTable ? `${value.length} row(s)` : JSON.stringify(value);
}

/** The columns of a table and its rows; nothing for another parameter. */
function renderTableParam({ name, columns, value }: ParamFacts): string[] {
  if (columns === undefined) return [];
  const specs = columns.map((column) => [
    `${name}.${column.name}`,
    column.default === undefined ? "-" : JSON.stringify(column.default),
    column.required === true ? "REQUIRED" : "optional",
    renderType(column),
    column.description ?? "",
  ]);
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  const rows = items.map((item, index) => [
    `${name}[${index}]`,
    ...columns.map((column) => renderCell(column, item)),
  ]);
  const headings = [name, ...columns.map((column) => column.name)];
  return [
    "",
    ...renderTable(["COLUMN", "DEFAULT", "", "TYPE", "DESCRIPTION"], specs, ""),
    ...(rows.length === 0 ? [] : ["", ...renderTable(headings, rows, "")]),
  ];
}

/** With the default where the row has no value. */
function renderCell({ name, default: preset }: SpecFacts, item: unknown): string {
  const given = isJsonObject(item) && Object.hasOwn(item, name) ? item[name] : undefined;
  const value = given ?? preset;
  return value === undefined ? "-" : JSON.stringify(value);
}

function renderType({ type, min, max, choices }: SpecFacts): string {
  return [
    type,
    ...(min === undefined ? [] : [`≥ ${min}`]),
    ...(max === undefined ? [] : [`≤ ${max}`]),
    ...(choices === undefined ? [] : [`of ${choices.join(", ")}`]),
  ].join(" ");
}
