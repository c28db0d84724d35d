import { escapeHtml } from "../../text/escape.ts";
import type { JsonValue } from "../../text/json.ts";

export const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** The body of a call. */
export function writeCall(method: string, params: readonly JsonValue[]): string {
  return `${DECLARATION}<methodCall><methodName>${escapeXml(method)}</methodName><params>${params.map(writeParam).join("")}</params></methodCall>`;
}

export function writeParam(value: JsonValue): string {
  return `<param>${writeValue(value)}</param>`;
}

export function writeValue(value: JsonValue): string {
  return `<value>${typed(value)}</value>`;
}

function typed(value: JsonValue): string {
  if (value === null) return "<nil/>";
  if (typeof value === "string") return `<string>${escapeXml(value)}</string>`;
  if (typeof value === "boolean") return `<boolean>${value ? 1 : 0}</boolean>`;
  if (typeof value === "number") return writeNumber(value);
  if (Array.isArray(value)) return `<array><data>${value.map(writeValue).join("")}</data></array>`;
  const members = Object.entries(value).map(([name, part]) =>
    part === undefined ? "" : `<member><name>${escapeXml(name)}</name>${writeValue(part)}</member>`,
  );
  return `<struct>${members.join("")}</struct>`;
}

/** JavaScript does not tell 1 from 1.0: a whole number is an integer. XML-RPC's own have 32 bits; i8 is an extension. */
function writeNumber(value: number): string {
  if (!Number.isSafeInteger(value)) return `<double>${value}</double>`;
  return value === (value | 0) ? `<int>${value}</int>` : `<i8>${value}</i8>`;
}

/** A bare carriage return would arrive as a line feed. */
function escapeXml(text: string): string {
  return escapeHtml(text).replaceAll("\r", "&#13;");
}
