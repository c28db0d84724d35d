import { quote } from "./fields.ts";
import { type Expected, parseStatuses } from "./http_expected.ts";

/** What a row of the table must have. */
export interface EndpointRow {
  readonly name: string;
  readonly url: string;
  readonly status: string;
  readonly text: string | undefined;
  readonly certificate_days: number | undefined;
}

export interface Endpoint<R extends EndpointRow> {
  readonly row: R;
  readonly url: URL;
  readonly expected: Expected;
}

/** Throws with all that is wrong. */
export function parseEndpoints<R extends EndpointRow>(rows: readonly R[]): readonly Endpoint<R>[] {
  const faults: string[] = [];
  const names = new Set<string>();
  const endpoints = rows.flatMap((row, index) => {
    const { name, status, text, certificate_days } = row;
    const fault = (column: string, reason: string): void =>
      void faults.push(`endpoints[${index}].${column}: ${reason}`);
    if (names.has(name)) fault("name", `${quote(name)} is there twice; use another name`);
    names.add(name);
    const isStatus = parseStatuses(status);
    if (isStatus === null)
      fault("status", `must be like "200", "200-299" or "200,401", found ${quote(status)}`);
    const url = parseUrl(row.url);
    if (url === null)
      fault("url", `must be a URL with http:// or https://, found ${quote(row.url)}`);
    else if (certificate_days !== undefined && url.protocol === "http:")
      fault("certificate_days", "is for https; http has no certificate");
    return url === null || isStatus === null
      ? []
      : { row, url, expected: { status, isStatus, text } };
  });
  if (faults.length > 0) throw new Error(faults.join("; "));
  return endpoints;
}

function parseUrl(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : null;
}
