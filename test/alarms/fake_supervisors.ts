import { fetchError } from "../../src/source/fetch_error.ts";
import type { Requester } from "../../src/source/requester.ts";
import { writeAnswer, writeFault } from "../../src/source/xmlrpc/write_answer.ts";
import type { JsonObject, JsonValue } from "../../src/text/json.ts";
import { textResponse } from "../support/responses.ts";

/** By the supervisor's clock. */
export const THEN = 1_795_190_000;

/** A row of getAllProcessInfo: a program that runs well, except for these fields. */
export function row(name: string, fields: JsonObject = {}): JsonObject {
  return {
    name,
    group: name,
    start: THEN - 3600,
    stop: 0,
    now: THEN,
    statename: "RUNNING",
    spawnerr: "",
    exitstatus: 0,
    stderr_logfile: `/var/log/${name}.err`,
    pid: 77,
    ...fields,
  };
}

/** A row of getAllConfigInfo. */
export function configured(name: string, fields: JsonObject = {}): JsonObject {
  return { name, group: name, autostart: true, startsecs: 1, stopwaitsecs: 10, ...fields };
}

/** What a supervisor answers: XML by method; a method without one has no connection. */
export type Answers = { readonly [method in Method]?: string | undefined };

type Method = "getState" | "getAllProcessInfo" | "getAllConfigInfo";

export const RUNNING = writeAnswer({ statecode: 1, statename: "RUNNING" });
/** What a supervisor that shuts down answers to everything. */
export const SHUTDOWN = writeFault(6, "SHUTDOWN_STATE");

/** The answers of a supervisor that runs these programs. */
export function answers(
  processes: JsonValue,
  programs: JsonValue = [],
  state: string = RUNNING,
): Answers {
  return {
    getState: state,
    getAllProcessInfo: writeAnswer(processes),
    getAllConfigInfo: writeAnswer(programs),
  };
}

export function fakeSupervisor(source: string, given: Answers): Requester {
  const byMethod = new Map(Object.entries(given));
  return {
    kind: "xmlrpc",
    request: async ({ path, post }) => {
      const text = byMethod.get(path.replace("supervisor.", ""));
      const call = { path, source, method: post ? "POST" : "GET" } as const;
      if (text === undefined) throw fetchError(call, { kind: "connection", reason: "refused" });
      return textResponse(text);
    },
  };
}
