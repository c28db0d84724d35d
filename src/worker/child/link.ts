import fs from "node:fs";
import { Socket } from "node:net";
import type { SafeDetection } from "../../core/model.ts";
import { frameSplitter } from "../frames.ts";
import { PIPES, type ToWorker } from "../protocol.ts";
import type { WorkerMessage } from "../worker_message.ts";

// A module may replace these; messages must not pass through its code.
const { parse, stringify } = JSON;
const { writeSync } = fs;
const bytesOf = Buffer.from.bind(Buffer);
const { setImmediate } = globalThis;

/** Characters of one detection. */
const MAX_DETECTION = 2 ** 20;
/** The first detections of a job are written one by one: the module may block or die next. */
const UNBATCHED = 100;
/** Characters. */
const MAX_BATCH = 32 * 2 ** 10;

let job = "";
let detected = 0;
/** Detections as JSON, separated by commas. */
let batch = "";

/** All further messages belong to this job. */
export function beginJob(next: string): void {
  job = next;
  detected = 0;
}

/** Returns when the message is written: a flood waits for the engine to read. */
export function send(message: WorkerMessage): void {
  // A request goes first: the engine reads the detections while the service works.
  if (message.type !== "request") flush();
  write(stringify({ ...message, job }));
}

/** Sends a detection, or that it is too large. It is written in this turn of the event loop. */
export function sendDetection(detection: SafeDetection): void {
  const text = stringify(detection);
  if (text.length > MAX_DETECTION) {
    const key = stringify(detection.dedupeKey);
    const reason = `yielded ${key} with ${text.length} characters of data; the limit is ${MAX_DETECTION}`;
    send({ type: "incomplete", reason });
    return;
  }
  if (batch === "") setImmediate(flush);
  batch += batch === "" ? text : `,${text}`;
  detected += 1;
  if (detected <= UNBATCHED || batch.length > MAX_BATCH) flush();
}

function flush(): void {
  if (batch === "") return;
  const detections = batch;
  batch = "";
  write(`{"type":"detections","detections":[${detections}],"job":${stringify(job)}}`);
}

function write(text: string): void {
  const bytes = bytesOf(`${text}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(PIPES.toEngine, bytes, at);
}

/** Passes each message of the engine on, with its body. This process ends with the engine. */
export function listen(take: (message: ToWorker, body: Buffer) => void): void {
  const socket = new Socket({ fd: PIPES.toWorker, readable: true, writable: false });
  // The engine's messages are trusted.
  socket.on(
    "data",
    frameSplitter((text, body) => take(parse(text), body)),
  );
  const end = (): void => {
    process.kill(process.pid, "SIGKILL");
  };
  socket.on("end", end);
  socket.on("error", end);
}
