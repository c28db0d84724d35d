import fs from "node:fs";
import { Socket } from "node:net";
import type { SafeDetection } from "../../core/model.ts";
import { frameSplitter } from "../frames.ts";
import { type FromWorker, PIPES, type ToWorker } from "../protocol.ts";

// A module may put its own in their place; messages must not pass through it.
const { parse, stringify } = JSON;
const { writeSync } = fs;
const bytesOf = Buffer.from.bind(Buffer);
const now = performance.now.bind(performance);
const { clearTimeout, setTimeout } = globalThis;

/** Characters of one detection; its key, subject and body are far below. */
const MAX_DETECTION = 2 ** 20;
/** So many detections of a job are each written at once; those of one that has more go together. */
const AT_ONCE = 100;
/** Characters of detections that gather before they are written, and milliseconds that they may take for it. */
const GATHERED = 32 * 2 ** 10;
const GATHERING = 5;

let job = "";
let detected = 0;
let gathered: string[] = [];
let length = 0;
let since = 0;
let timer: NodeJS.Timeout | undefined;

/** From now on all that is said is said of this job. */
export function speakOf(next: string): void {
  job = next;
  detected = 0;
}

/**
 * Says something to the engine, after what has gathered. Returns when it is written: one that yields
 * without end waits for the engine to read.
 */
export function send(message: FromWorker): void {
  flushDetections();
  write(stringify({ ...message, job }));
}

/** Asks before it says what has gathered: the engine can take that in while the service answers. */
export function sendRequest(question: Extract<FromWorker, { said: "request" }>): void {
  write(stringify({ ...question, job }));
  flushDetections();
}

/**
 * Says what the module detected, or that it is too much for one detection. A module that goes on computing
 * for ever, or dies at once, may take those with it that had gathered; its outcome has failed then, and
 * clears nothing.
 */
export function sendDetection(detection: SafeDetection): void {
  const text = stringify(detection);
  if (text.length > MAX_DETECTION) {
    const key = stringify(detection.dedupeKey);
    const reason = `yielded ${key} with ${text.length} characters of data; at most ${MAX_DETECTION} are kept`;
    send({ said: "incomplete", reason });
    return;
  }
  if (length === 0) {
    since = now();
    timer = setTimeout(flushDetections, GATHERING);
  }
  gathered[gathered.length] = text;
  length += text.length;
  detected += 1;
  if (detected <= AT_ONCE || length > GATHERED || now() - since > GATHERING) flushDetections();
}

/** What has gathered goes out, and nothing of it is left to do. */
export function flushDetections(): void {
  if (length === 0) return;
  clearTimeout(timer);
  const detections = gathered;
  gathered = [];
  length = 0;
  let list = "";
  for (let at = 0; at < detections.length; at++) list += `${at === 0 ? "" : ","}${detections[at]}`;
  write(`{"said":"detections","detections":[${list}],"job":${stringify(job)}}`);
}

function write(text: string): void {
  const bytes = bytesOf(`${text}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(PIPES.toEngine, bytes, at);
}

/** Hands every message of the engine to `take`, with its body. When the engine is gone this process ends, too. */
export function listen(take: (message: ToWorker, body: Buffer) => void): void {
  const socket = new Socket({ fd: PIPES.toWorker, readable: true, writable: false });
  socket.on(
    "data",
    frameSplitter((text, body) => take(parseMessage(text), body)),
  );
  const end = (): void => {
    process.kill(process.pid, "SIGKILL");
  };
  socket.on("end", end);
  socket.on("error", end);
}

/** The engine's own words. */
function parseMessage(text: string): ToWorker {
  return parse(text);
}
