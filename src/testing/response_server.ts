import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { errorText, quote } from "../text/describe.ts";
import { isJsonObject, type JsonValue } from "../text/json.ts";
import { findResponse, type ResponsesByPath, type TestRequest } from "./test_responses.ts";

const JSON_TYPE = "application/json";

/** Content types of files; any other file is plain text. */
const FILE_TYPES: { readonly [ending: string]: string } = {
  ".json": JSON_TYPE,
  ".csv": "text/csv; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".xml": "application/xml",
};

export interface ResponseServer {
  readonly baseUrl: string;
  close(): Promise<void>;
}

export interface ResponseServerFacts {
  /** The name of the source. */
  readonly source: string;
  readonly responses: ResponsesByPath;
  /** Epoch seconds of the service's clock. */
  readonly now: number;
  readonly onRequest: (request: TestRequest) => void;
  /** Called with what is wrong with a response of the test. */
  readonly onError: (error: unknown) => void;
}

/** A source of a test: a real service on this machine, so that the module's requests are those of a tick. */
export async function serveResponses(facts: ResponseServerFacts): Promise<ResponseServer> {
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing, facts).catch((error: unknown) => {
      facts.onError(error);
      outgoing.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { source, responses, now, onRequest }: ResponseServerFacts,
): Promise<void> {
  const url = new URL(incoming.url ?? "/", "http://source");
  const { pathname: path, searchParams } = url;
  const method = incoming.method === "POST" ? "POST" : "GET";
  const query = Object.fromEntries(searchParams);
  const received = { source, method, path, query } as const;
  const request: TestRequest =
    method === "GET" ? received : { ...received, body: await readBody(incoming) };
  onRequest(request);
  const found = findResponse(responses, url);
  const sent = await exchange(found?.value, request).catch((error: unknown) => {
    throw new Error(`responses: ${method} ${path} of ${source}: ${errorText(error)}`, {
      cause: error,
    });
  });
  if (sent === "broken") return void outgoing.destroy();
  outgoing.writeHead(sent.status, { date: new Date(now * 1000).toUTCString(), ...sent.headers });
  outgoing.end(sent.body);
}

async function readBody(incoming: IncomingMessage): Promise<JsonValue> {
  const text = (await incoming.toArray()).join("");
  const type = incoming.headers["content-type"] ?? "";
  return /^application\/(.+\+)?json\b/.test(type) ? JSON.parse(text) : text;
}

interface Sent {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string | Uint8Array;
}

/** What a response of the test is on the wire; see TestResponse. */
async function exchange(value: unknown, request: TestRequest): Promise<Sent | "broken"> {
  if (typeof value === "function") return await exchange(await value(request), request);
  if (value instanceof Response) return await copyOf(value);
  const whole = wholeResponse(value);
  const { type, body } = await contentOf(whole === undefined ? value : (whole.body ?? {}));
  const headers = Object.entries(whole?.headers ?? {}).map(([name, text]) => [
    name.toLowerCase(),
    text,
  ]);
  return {
    status: whole?.status ?? 200,
    headers: { "content-type": type, ...Object.fromEntries(headers) },
    body,
  };
}

async function copyOf(response: Response): Promise<Sent | "broken"> {
  if (response.type === "error") return "broken";
  const copy = response.clone();
  const body = new Uint8Array(await copy.arrayBuffer());
  return { status: copy.status, headers: Object.fromEntries(copy.headers), body };
}

/** Undefined for a value that is the body itself. */
function wholeResponse(value: unknown) {
  if (!isJsonObject(value) || !Number.isInteger(value.status)) return undefined;
  const { status, body, headers, ...more } = value;
  if (Object.keys(more).length > 0) return undefined;
  if (Number(status) < 200 || Number(status) > 599)
    throw new Error(`status is ${quote(status)}; it must be from 200 to 599`);
  const pairs = Object.entries(isJsonObject(headers) ? headers : {});
  return {
    status: Number(status),
    body,
    headers: Object.fromEntries(pairs.map(([name, text]) => [name, String(text)])),
  };
}

async function contentOf(value: unknown): Promise<{ type: string; body: string | Uint8Array }> {
  if (value instanceof URL) {
    const path = fileURLToPath(value);
    return {
      type: FILE_TYPES[extname(path)] ?? "text/plain; charset=utf-8",
      body: await readFile(path),
    };
  }
  if (typeof value === "string") return { type: "text/plain; charset=utf-8", body: value };
  const text = JSON.stringify(value);
  if (text === undefined) throw new Error(`${quote(value)} is not a response`);
  return { type: JSON_TYPE, body: text };
}
