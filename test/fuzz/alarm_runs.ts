import fc from "fast-check";
import { expect } from "vitest";
import { parseDetection } from "../../src/core/detection.ts";
import { makeClient } from "../../src/source/client/alarm_client.ts";
import type { AlarmClient } from "../../src/source/client/client.ts";
import { FetchError } from "../../src/source/fetch_error.ts";
import type { Requester } from "../../src/source/requester.ts";
import { writeAnswer } from "../../src/source/xmlrpc/write_answer.ts";
import type { JsonObject, JsonValue } from "../../src/text/json.ts";
import { CLIENT_FACTS } from "../support/client_facts.ts";
import { jsonResponse, NOT_FOUND, textResponse } from "../support/responses.ts";
import { anyJson, anyText, ONE_LINE } from "./arbitraries.ts";

export const NOW = 1_700_000_000;

export interface Seen {
  readonly keys: readonly string[];
  readonly reasons: readonly string[];
}

/** Runs `detect` on a service that gives these answers, by path. Throws whatever it throws but a FetchError. */
export async function detect(
  run: (client: AlarmClient) => AsyncIterable<unknown>,
  answer: (path: string) => JsonValue | undefined,
  previous?: JsonValue,
): Promise<Seen> {
  const asker: Requester = {
    kind: "http",
    request: async ({ path }) => {
      const value = answer(path);
      return value === undefined ? NOT_FOUND : jsonResponse(value);
    },
  };
  const called: Requester = {
    kind: "xmlrpc",
    request: async ({ path }) => textResponse(writeAnswer(answer(path) ?? null)),
  };
  const reasons: string[] = [];
  const keys: string[] = [];
  const client = makeClient({
    ...CLIENT_FACTS,
    sources: new Map([
      ["main", asker],
      ["gracedb", asker],
      ["enrgdaq", asker],
      ["supervisord", called],
    ]),
    now: NOW,
    onIncomplete: (reason) => reasons.push(reason),
    ...(previous !== undefined && {
      previous: async () => JSON.parse(JSON.stringify({ at: NOW - 300, value: previous })),
    }),
  });
  try {
    for await (const value of run(client)) {
      const parsed = parseDetection(value);
      if (!parsed.ok) throw new Error(parsed.error);
      if ("clear" in parsed) throw new Error("a clear");
      expect(parsed.detection.subject).toMatch(ONE_LINE);
      keys.push(parsed.detection.dedupeKey);
    }
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    expect(reasons).toContain(error.message);
  }
  for (const reason of reasons) {
    expect(reason).toMatch(ONE_LINE);
    expect(reason.length).toBeLessThan(1_000);
  }
  return { keys, reasons };
}

/** Names of fields: those of these objects, and any. */
export function fieldNames(...objects: readonly JsonObject[]): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom(...objects.flatMap((each) => Object.keys(each))), anyText);
}

/** Near what a service sends: other numbers, sentinels, and any JSON. */
export const value: fc.Arbitrary<JsonValue> = fc.oneof(
  anyJson,
  fc.constantFrom<JsonValue[]>(null, -1, "0.2", "", 0, 1, 2, "running", "failed", 1e308, [], {}),
);
