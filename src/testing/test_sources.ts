import { fetchError } from "../source/fetch_error.ts";
import { HttpSource } from "../source/http/http_source.ts";
import { methodOf, type SourceRequest } from "../source/requester.ts";
import type { SharedSource } from "../source/share.ts";
import { type ResponseServerFacts, serveResponses } from "./response_server.ts";
import { kindOf, missingCall } from "./test_calls.ts";
import { findResponse, missingResponse, type ResponsesByPath, urlOf } from "./test_responses.ts";
import { openTestSpool } from "./test_spool.ts";

export interface TestSourceFacts
  extends Pick<ResponseServerFacts, "now" | "onRequest" | "onError"> {
  readonly bySource: ReadonlyMap<string, ResponsesByPath>;
  /** See `spoolTexts`. */
  readonly spools: ReadonlyMap<string, string>;
  /** Seconds for one request. */
  readonly timeout: number;
}

/** The sources of a test, by name: real ones, each asking a service that answers as the test says. */
export async function openTestSources(names: ReadonlySet<string>, facts: TestSourceFacts) {
  const opened = await Promise.all([...names].map((name) => openTestSource(name, facts)));
  return {
    byName: new Map(opened.map(({ name, source }) => [name, source])),
    close: async (): Promise<void> => {
      await Promise.all(opened.map(({ close }) => close()));
    },
  };
}

interface TestSource {
  readonly name: string;
  readonly source: SharedSource;
  readonly close: () => Promise<void>;
}

async function openTestSource(name: string, facts: TestSourceFacts): Promise<TestSource> {
  const spool = facts.spools.get(name);
  if (spool !== undefined) return await openTestSpool(name, spool);
  const { bySource, now, timeout, onRequest, onError } = facts;
  const responses = bySource.get(name) ?? new Map();
  const kind = kindOf(responses);
  const server = await serveResponses({ source: name, responses, now, onRequest, onError });
  const ended = new AbortController();
  const { baseUrl } = server;
  const settings = { name, kind, baseUrl, timeout, headers: {}, maxConnections: 4 };
  const real = new HttpSource(settings, ended.signal);
  const source: SharedSource = {
    kind: real.kind,
    maxConnections: real.maxConnections,
    request: async (request) => {
      const missing = (kind === "xmlrpc" ? missingCall : missingFor)(name, request, responses);
      // A page that is requested ahead may never be needed.
      if (missing !== undefined && request.ahead !== true) onError(new Error(missing));
      if (missing !== undefined)
        throw fetchError({ path: request.path, source: name }, { kind: "status", reason: missing });
      return await real.request(onceOnly(request));
    },
    reportInvalid: (request, reason) => real.reportInvalid(onceOnly(request), reason),
  };
  const close = async (): Promise<void> => {
    ended.abort(new Error("the test has ended"));
    await real.close();
    await server.close();
  };
  return { name, source, close };
}

/** A test does not wait for retries. */
function onceOnly(request: SourceRequest): SourceRequest {
  return { ...request, attempts: 1 };
}

/** Undefined also for a path that the source refuses. */
function missingFor(
  source: string,
  request: SourceRequest,
  responses: ResponsesByPath,
): string | undefined {
  const method = methodOf(request);
  const url = urlOf(request.path, request.query);
  return findResponse(responses, url) === undefined
    ? missingResponse({ source, method, url }, responses)
    : undefined;
}
