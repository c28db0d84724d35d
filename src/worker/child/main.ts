import { setImmediate as turn } from "node:timers/promises";
import type { LoadedModule } from "../../alarm/alarm_module.ts";
import type { ModuleFile } from "../../alarm/discover.ts";
import * as helpers from "../../index.ts";
import { cut, errorText } from "../../text/describe.ts";
import type { DetectEnd, ToWorker } from "../protocol.ts";
import { runDetect } from "./detect.ts";
import { watchGlobals } from "./globals.ts";
import { flushDetections, listen, send, sendDetection, speakOf } from "./link.ts";
import { type Loaded, ModuleLoader } from "./load.ts";
import { Requests } from "./requests.ts";

/** Characters of one line for the log. */
const MAX_LINE = 10_000;

/**
 * The process that alarm modules run in, one module at a time. It has neither the engine's configuration
 * nor its environment nor its connections; what it says is not trusted.
 */
const loader = new ModuleLoader(helpers);
const loaded = new Map<string, Promise<Loaded>>();
const questions = new Requests();

// Work that a module started and forgot: its error means that the module did not do all it meant to.
const stray = (error: unknown): void =>
  send({ said: "stray", reason: `an error that nobody caught: ${errorText(error)}` });
process.on("uncaughtException", stray);
process.on("unhandledRejection", stray);
process.on("exit", (code) => send({ said: "exit", code }));

// Requests go through the engine: what fails is then on the record, whether or not the module minds.
Object.defineProperty(globalThis, "fetch", {
  value: function fetch() {
    const error = new TypeError(
      "fetch is not there for alarms; ask with client.get, client.find or client.pages",
    );
    // The place that is told is the module's.
    Error.captureStackTrace(error, fetch);
    throw error;
  },
});

// Loaded while the engine loads its own code and opens the database: most modules are TypeScript.
void import("./strip_types.ts");

const changedGlobals = watchGlobals();
let resourcesBefore = 0;

listen((message, body) => {
  switch (message.do) {
    case "load":
      begin(message.job);
      describe(message.file, message.timeout).then(
        (loaded) => send({ said: "loaded", ...loaded }),
        (error: unknown) => {
          const loaded = { ok: false, fault: brokenBy(message.file, error) };
          send({ said: "loaded", loaded, clean: false });
        },
      );
      return;
    case "detect":
      begin(message.job);
      detect(message).then(
        (end) => send({ said: "end", ...end }),
        (failure: unknown) => {
          const error = { text: brokenBy(message.file, failure), isFetch: false };
          send({ said: "end", error, changed: [], clean: false });
        },
      );
      return;
    case "response":
      questions.respond(message.id, message.found ? body : undefined);
      return;
    case "fail":
      questions.fail(message.id, message.reason);
  }
});

/** A module that changes all that others rely on may keep this process from its own work. */
function brokenBy(file: ModuleFile, error: unknown): string {
  return `${file.path} has broken the process that it runs in: ${errorText(error)}`;
}

/** The process has nothing to do at this moment: what is more at the end of the job is the module's. */
function begin(job: string): void {
  speakOf(job);
  resourcesBefore = countResources();
}

/** Each file is loaded once: several alarms may share it. */
function load(file: ModuleFile, timeout: number): Promise<Loaded> {
  const pending = loaded.get(file.path) ?? loader.load(file, timeout);
  loaded.set(file.path, pending);
  return pending;
}

async function describe(
  file: ModuleFile,
  timeout: number,
): Promise<{ loaded: LoadedModule; clean: boolean }> {
  const { words, hangs } = await load(file, timeout);
  return { loaded: words, clean: (await changesLeft()).clean && !hangs };
}

async function detect(job: Extract<ToWorker, { do: "detect" }>): Promise<DetectEnd> {
  const { words, detect: found } = await load(job.file, job.timeout);
  if (found === undefined || !words.ok) {
    return {
      error: { text: words.ok ? "no detect" : words.error, isFetch: false },
      changed: [],
      clean: false,
    };
  }
  const error = await runDetect({
    ...job,
    detect: found,
    sources: new Map(job.sources.map((name) => [name, questions.requesterOf(name)])),
    log: (text) => send({ said: "log", text: cut(String(text), MAX_LINE) }),
    firing: () => questions.firing(),
    onDetection: sendDetection,
    onIncomplete: (reason) => send({ said: "incomplete", reason: String(reason) }),
  });
  questions.forget();
  // The timer that would say it is none of the module's.
  flushDetections();
  return { error: error ?? null, ...(await changesLeft()) };
}

/** What a module leaves behind, and whether the process is as it was. */
async function changesLeft(): Promise<Pick<DetectEnd, "changed" | "clean">> {
  // Work that it forgot may fail at once; that is its own trouble, and not the next one's.
  for (let turns = 0; turns < 3; turns++) await turn();
  const changed = changedGlobals();
  return { changed, clean: changed.length === 0 && countResources() <= resourcesBefore };
}

/** Timers, sockets, listeners and the like that are still there. */
function countResources(): number {
  const atWork = process.getActiveResourcesInfo().filter((kind) => kind !== "Immediate").length;
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), atWork);
}
