import { setImmediate as turn } from "node:timers/promises";
import { errorText } from "../core/describe.ts";
import * as helpers from "../index.ts";
import type { ModuleFile } from "../modules/discover.ts";
import type { DetectEnd, ToRunner } from "../modules/wire.ts";
import { runDetect } from "./detect.ts";
import { watchGlobals } from "./globals.ts";
import { listen, say } from "./link.ts";
import { type Loaded, ModuleLoader } from "./load.ts";
import { Questions } from "./questions.ts";

/**
 * The process that alarm modules run in, one module at a time. It has neither the engine's configuration
 * nor its environment nor its connections; what it says is not trusted.
 */
const loader = new ModuleLoader(helpers);
const loaded = new Map<string, Promise<Loaded>>();
const questions = new Questions();

// Work that a module started and forgot: its error means that the module did not do all it meant to.
const stray = (error: unknown): void =>
  say({ said: "incomplete", reason: `an error that nobody caught: ${errorText(error)}` });
process.on("uncaughtException", stray);
process.on("unhandledRejection", stray);
process.on("exit", (code) => say({ said: "exit", code }));

// Requests go through the engine: what fails is then on the record, whether or not the module minds.
Object.defineProperty(globalThis, "fetch", {
  value: () => {
    throw new TypeError(
      "fetch is not there for alarms; ask with client.get, client.find or client.pages",
    );
  },
});

const changedGlobals = watchGlobals();
const resourcesBefore = countResources();

listen((message) => {
  switch (message.do) {
    case "load":
      load(message.file).then(({ words }) => say({ said: "loaded", loaded: words }), stray);
      return;
    case "detect":
      detect(message).then((end) => say({ said: "end", ...end }), stray);
      return;
    case "answer":
      questions.answer(message.id, message.text ?? undefined);
      return;
    case "fail":
      questions.fail(message.id, message.reason);
  }
});

/** Each file is loaded once: several alarms may share it. */
function load(file: ModuleFile): Promise<Loaded> {
  const pending = loaded.get(file.path) ?? loader.load(file);
  loaded.set(file.path, pending);
  return pending;
}

async function detect(job: Extract<ToRunner, { do: "detect" }>): Promise<DetectEnd> {
  const { words, detect: found } = await load(job.file);
  if (found === undefined || !words.ok) {
    return {
      error: { text: words.ok ? "no detect" : words.fault, isFetch: false },
      changed: [],
      clean: true,
    };
  }
  const error = await runDetect({
    ...job,
    detect: found,
    sources: new Map(job.sources.map((name) => [name, questions.asker(name)])),
    log: (text) => say({ said: "log", text: String(text) }),
    onDetection: (detection) => say({ said: "detection", detection }),
    onIncomplete: (reason) => say({ said: "incomplete", reason: String(reason) }),
  });
  // What the module left behind may fail at once; that is its own trouble, and not the next one's.
  for (let turns = 0; turns < 3; turns++) await turn();
  const changed = changedGlobals();
  const clean = changed.length === 0 && countResources() <= resourcesBefore;
  return { error: error ?? null, changed, clean };
}

/** Timers, sockets and the like that are still at work. */
function countResources(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind !== "Immediate").length;
}
