import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";
import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";
import { type Endpoint, parseEndpoints } from "./lib/http_endpoint.ts";
import { problemOf } from "./lib/http_expected.ts";
import { type Answer, lookAt } from "./lib/http_look.ts";

export const TITLE = "HTTP endpoints that do not answer as they should";

export const DESCRIPTION =
  "A URL did not answer in time, or with another status or text than expected, or its certificate expires soon. " +
  "Each tick asks once; with --settle 3 a URL is reported when it has failed in three ticks.";

export const SOURCES = [];

/** It reports each request that fails. */
export const NETWORK = "own";

export const PARAMS = {
  endpoints: {
    type: "table",
    required: true,
    description: "ask each of these with GET",
    columns: {
      name: { type: "string", required: true, description: "its name in events and mails" },
      url: { type: "string", required: true, description: "http:// or https://" },
      status: {
        type: "string",
        default: "200",
        description:
          "the status that is right, or several: 200-299,401; redirects are not followed",
      },
      text: { type: "string", description: "a text that the answer must contain" },
      seconds: {
        type: "number",
        default: 10,
        min: 0.1,
        max: 50,
        description: "report that the whole answer takes longer than this",
      },
      certificate_days: {
        type: "number",
        min: 0,
        description: "report a certificate that expires within this many days",
      },
      severity: {
        type: "string",
        choices: ["info", "warning", "error", "critical"],
        description: "how bad it is if this one fails; else the severity of the alarm",
      },
    },
  },
  ca_file: {
    type: "string",
    description: "trust the authorities in this PEM file too, beside the public ones",
  },
} as const satisfies ParamSpecs;

type Params = ParamsOf<typeof PARAMS>;
type Row = Params["endpoints"][number];

/** Of more endpoints than this, the others wait. */
const SIDE_BY_SIDE = 32;

export async function* detect(client: AlarmClient, { endpoints: rows, ca_file }: Params) {
  const endpoints = parseEndpoints(rows);
  const ca = ca_file ? await readAuthorities(ca_file) : undefined;
  const { signal } = client;
  const looks: Promise<Answer>[] = [];
  for (const [index, { url, row }] of endpoints.entries()) {
    const before = looks[index - SIDE_BY_SIDE] ?? Promise.resolve();
    looks.push(before.then(() => lookAt({ url, seconds: row.seconds, ca, signal })));
  }
  for (const [index, answer] of looks.entries()) {
    const endpoint = endpoints[index];
    if (endpoint !== undefined) yield* judge(client, endpoint, await answer);
  }
}

function* judge(client: AlarmClient, { row, url, expected }: Endpoint<Row>, answer: Answer) {
  const { name, certificate_days: days, severity } = row;
  const scope = `endpoint:${name}:`;
  if (answer.kind === "given up")
    return client.incomplete(`${name} was not asked in time for this tick`, scope);
  const problem = problemOf(answer, expected);
  const address = `${url.origin}${url.pathname}`;
  if (problem !== undefined)
    yield {
      dedupeKey: `${scope}answer`,
      subject: `${name}: ${problem.text}`,
      body: describeAnswer(address, answer),
      severity,
      data: { metric: problem.metric, url: address },
    };
  if (days === undefined) return;
  if (answer.kind === "failed")
    return client.incomplete(`the certificate of ${name} was not seen: ${answer.reason}`, scope);
  const { certificateEnd = 0 } = answer;
  const left = (certificateEnd - client.now) / 86_400;
  const end = new Date(certificateEnd * 1000).toISOString().slice(0, 16);
  if (left < days)
    yield {
      dedupeKey: `${scope}certificate`,
      subject: `${name}: the certificate expires in ${Math.floor(left)} days, ${end} UTC`,
      severity: "warning" as const,
      data: { metric: `${Math.floor(left)} d`, url: address, expires: `${end}Z` },
    };
}

function describeAnswer(address: string, answer: Answer): string {
  if (answer.kind !== "answer") return `GET ${address}`;
  const beginning = answer.body.slice(0, EXCERPT).replace(/[^\P{Cc}\n\t]+/gu, " ");
  return `GET ${address}: status ${answer.status} in ${answer.seconds.toFixed(2)} s\n\n${beginning}`;
}

/** Characters of an answer that the body shows. */
const EXCERPT = 500;

/** Of the public authorities and those of a file. Throws if that has none. */
async function readAuthorities(file: string): Promise<readonly string[]> {
  try {
    const pem = await readFile(file, "utf8");
    // It would be ignored, and every endpoint would seem to be wrong.
    new X509Certificate(pem);
    return [...rootCertificates, pem];
  } catch (error) {
    throw new Error(`ca_file: ${file} has no certificate that can be read`, { cause: error });
  }
}
