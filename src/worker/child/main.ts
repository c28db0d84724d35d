import { setImmediate as turn } from "node:timers/promises";
import type { Remembered } from "../../core/model.ts";
import * as helpers from "../../index.ts";
import type { SpoolPositions } from "../../source/client/spool/spool_lines.ts";
import { attempt } from "../../text/attempt.ts";
import { cut, errorText } from "../../text/describe.ts";
import { type DetectTask, type Task, UNANSWERED } from "../protocol.ts";
import type { DetectError, TaskEnd } from "../worker_message.ts";
import { DetectEnded, runDetect } from "./detect.ts";
import { beginJob, listen, send, sendDetection } from "./link.ts";
import { type Loaded, ModuleLoader } from "./load.ts";
import { Network } from "./network.ts";
import { placeOf } from "./place.ts";
import { Requests } from "./requests.ts";
import { worksAsBefore } from "./sample_work.ts";

/** Characters of one line for the log. */
const MAX_LINE = 10_000;

/**
 * The process that alarm modules run in, one at a time. It has neither the engine's configuration nor its
 * environment nor its connections, and the engine does not trust its messages.
 */
const loader = new ModuleLoader(helpers);
let requests = new Requests();
let hasUnhandled = false;

// An error of work that the module does not wait for: it may not have seen everything.
const reportUnhandled = (reason: string): void => {
  hasUnhandled = true;
  send({ type: "unhandled", reason });
};
const unhandled = (error: unknown): string => {
  const place = attempt(() => (error instanceof Error ? placeOf(error) : ""), "");
  return `unhandled error in the module: ${errorText(error)}${place}`;
};
process.on("uncaughtException", (error) => reportUnhandled(unhandled(error)));
process.on("unhandledRejection", (error) =>
  reportUnhandled(
    error instanceof DetectEnded ? UNANSWERED : `${unhandled(error)}; is an await missing?`,
  ),
);
process.on("exit", (code) => send({ type: "exit", code }));

// Requests go through the engine, which records what fails, even if the module catches the error.
const network = new Network((reason) => send({ type: "incomplete", reason }));

// Loaded while the engine loads its own code and opens the database: most modules are TypeScript.
void import("./strip_types.ts");

let resourcesBefore = 0;

listen((message, body) => {
  switch (message.type) {
    case "load":
    case "detect":
      beginJob(message.job);
      hasUnhandled = false;
      resourcesBefore = countResources();
      void run(message).then(send);
      return;
    case "response":
      return requests.respond(message.id, { ...message, body });
    case "fail":
      return requests.fail(message.id, message.failure);
  }
});

async function run(task: Task): Promise<TaskEnd> {
  try {
    network.begin();
    const loaded = await loader.load(task.file, task.timeout);
    const { exports, detect, hangs } = loaded;
    let error = loaded.error === null ? null : { text: loaded.error };
    if (task.type === "detect") {
      network.loaded(loaded.hasOwnNetwork);
      error ??= await runTask(task, detect);
    }
    // Work that it does not wait for may fail at once; the error belongs to this job.
    for (let turns = 0; turns < 3; turns++) await turn();
    const isAsBefore = countResources() <= resourcesBefore && worksAsBefore();
    const clean = !network.end() && isAsBefore && !hasUnhandled && !hangs;
    return { type: "end", exports: task.type === "load" ? exports : null, error, clean };
  } catch (error) {
    // A module that changes what everything relies on may break this process.
    const text = `the worker could not continue after ${task.file.path}, which may have changed a global: ${errorText(error)}`;
    return { type: "end", exports: null, error: { text }, clean: false };
  }
}

async function runTask(task: DetectTask, detect: Loaded["detect"]): Promise<DetectError | null> {
  if (detect === undefined) return { text: "detect is not a function" };
  const own = new Requests();
  requests = own;
  let memory: string | undefined;
  const positions: SpoolPositions = {
    stored: () => own.ask("positions"),
    current: new Map(),
  };
  const error = await runDetect({
    ...task,
    detect,
    sources: new Map(task.sources.map(({ name, kind }) => [name, own.requesterOf(name, kind)])),
    log: (text) => send({ type: "log", text: cut(String(text), MAX_LINE) }),
    firing: () => own.ask("firing"),
    firingEvents: () => own.ask("firing events"),
    previous: async <T>() => (await own.ask<Remembered<T> | null>("previous")) ?? undefined,
    positions,
    onNote: (text) => send({ type: "note", text }),
    onStates: task.states
      ? (entity, states) => send({ type: "states", entity, states })
      : undefined,
    onRemember: (text) => {
      memory = text;
    },
    onDetection: sendDetection,
    onClear: (clear) => send({ type: "clear", ...clear }),
    onIncomplete: (reason, prefix) => send({ type: "incomplete", reason: String(reason), prefix }),
  });
  own.close();
  // The last call counts, however many there were.
  if (memory !== undefined) send({ type: "remember", text: memory });
  for (const [source, { changed }] of positions.current)
    if (changed !== undefined) send({ type: "position", source, text: changed });
  return error ?? null;
}

/** Timers, sockets, listeners and the like. An immediate that is still there after some turns repeats itself. */
function countResources(): number {
  const active = process.getActiveResourcesInfo().length;
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), active);
}
