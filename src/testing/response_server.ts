import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { errorText, quote } from "../text/describe.ts";
import { isJsonObject, type JsonValue } from "../text/json.ts";
import { callAnswer, callKey, kindOf, receivedCall } from "./test_calls.ts";
import {
  findResponse,
  type ResponsesByPath,
  type TestRequest,
  type WholeResponse,
} from "./test_responses.ts";

const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain; charset=utf-8";

/** Content types of files; any other file is plain text. */
const FILE_TYPES: { readonly [ending: string]: string } = {
  ".json": JSON_TYPE,
  ".csv": "text/csv; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".xml": "application/xml",
};

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
export async function serveResponses(facts: ResponseServerFacts) {
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
    close: async (): Promise<void> => {
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
  facts: ResponseServerFacts,
): Promise<void> {
  const { request, found, encode } = await receive(incoming, facts);
  facts.onRequest(request);
  const sent = await responseOf(found, request, encode).catch((error: unknown) => {
    const { method, path, source } = request;
    throw new Error(`responses: ${method} ${path} of ${source}: ${errorText(error)}`, {
      cause: error,
    });
  });
  if (sent.type === "error") return void outgoing.destroy();
  const headers = Object.fromEntries(sent.headers);
  outgoing.writeHead(sent.status, { date: new Date(facts.now * 1000).toUTCString(), ...headers });
  outgoing.end(Buffer.from(await sent.arrayBuffer()));
}

interface Received {
  readonly request: TestRequest;
  /** What the test has as the response. */
  readonly found: unknown;
  /** What a value of the test is on the wire. */
  readonly encode: (value: unknown) => Promise<Content>;
}

async function receive(
  incoming: IncomingMessage,
  { source, responses }: ResponseServerFacts,
): Promise<Received> {
  if (kindOf(responses) === "xmlrpc") {
    const request = await receivedCall(source, (await incoming.toArray()).join(""));
    const found = responses.get(callKey(request.path));
    const encode = async (value: unknown): Promise<Content> =>
      value instanceof URL ? await contentOf(value) : { type: "text/xml", body: callAnswer(value) };
    return { request, found, encode };
  }
  const url = new URL(incoming.url ?? "/", "http://source");
  const { pathname: path, searchParams } = url;
  const method = incoming.method === "POST" ? "POST" : "GET";
  const body = method === "POST" && { body: await readBody(incoming) };
  const request = {
    source,
    method,
    path,
    query: Object.fromEntries(searchParams),
    ...body,
  } as const;
  return { request, found: findResponse(responses, url)?.value, encode: contentOf };
}

async function readBody(incoming: IncomingMessage): Promise<JsonValue> {
  const text = (await incoming.toArray()).join("");
  const type = incoming.headers["content-type"] ?? "";
  return /^application\/(.+\+)?json\b/.test(type) ? JSON.parse(text) : text;
}

/** What a response of the test is on the wire; see TestResponse. */
async function responseOf(
  value: unknown,
  request: TestRequest,
  encode: Received["encode"],
): Promise<Response> {
  if (typeof value === "function") return await responseOf(await value(request), request, encode);
  if (value instanceof Response) return value.type === "error" ? value : value.clone();
  const { status, body, headers } = isWhole(value) ? value : { status: 200, body: value };
  if (status < 200 || status > 599)
    throw new Error(`status is ${quote(status)}; it must be from 200 to 599`);
  const content = isWhole(value)
    ? await contentOf(body === undefined ? {} : body)
    : await encode(body);
  const all = new Headers({ "content-type": content.type });
  for (const [name, text] of Object.entries(headers ?? {})) all.set(name, String(text));
  return new Response(EMPTY.includes(status) ? null : content.body, { status, headers: all });
}

/** Statuses of responses that have no body. */
const EMPTY = [204, 205, 304];

/** Whether it is a whole response, and not the body itself. */
function isWhole(value: unknown): value is WholeResponse {
  if (!isJsonObject(value) || !Number.isInteger(value.status)) return false;
  return Object.keys(value).every((key) => ["status", "body", "headers"].includes(key));
}

/** A body with its content type. */
interface Content {
  readonly type: string;
  readonly body: string | Uint8Array;
}

async function contentOf(value: unknown): Promise<Content> {
  if (value instanceof URL) {
    const path = fileURLToPath(value);
    return { type: FILE_TYPES[extname(path)] ?? TEXT_TYPE, body: await readFile(path) };
  }
  if (typeof value === "string") return { type: TEXT_TYPE, body: value };
  const text = JSON.stringify(value);
  if (text === undefined) throw new Error(`${quote(value)} is not a response`);
  return { type: JSON_TYPE, body: text };
}
