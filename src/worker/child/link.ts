import fs from "node:fs";
import { Socket } from "node:net";
import type { SafeDetection } from "../../core/model.ts";
import { frameSplitter } from "../frames.ts";
import { type FromWorker, PIPES, type ToWorker } from "../protocol.ts";

// A module may replace these; messages must not pass through its code.
const { parse, stringify } = JSON;
const { writeSync } = fs;
const bytesOf = Buffer.from.bind(Buffer);
const { clearTimeout, setTimeout } = globalThis;

/** Characters of one detection. */
const MAX_DETECTION = 2 ** 20;
/** The first detections of a job are written one by one, further ones in batches. */
const UNBATCHED = 100;
/** Characters of a batch, and milliseconds until it is written. */
const BATCH_SIZE = 32 * 2 ** 10;
const BATCH_TIME = 5;

let job = "";
let detected = 0;
let batch: string[] = [];
let length = 0;
let timer: NodeJS.Timeout | undefined;

/** All further messages belong to this job. */
export function beginJob(next: string): void {
  job = next;
  detected = 0;
}

/** Sends a message after the batch. Returns when it is written: a flood waits for the engine to read. */
export function send(message: FromWorker): void {
  flushDetections();
  write(stringify({ ...message, job }));
}

/** Sends a request before the batch, which the engine can read while the service works. */
export function sendRequest(request: Extract<FromWorker, { type: "request" }>): void {
  write(stringify({ ...request, job }));
  flushDetections();
}

/**
 * Sends a detection, or that it is too large. A module that blocks or dies at once may lose those of the last
 * batch; its outcome has failed then, and clears nothing.
 */
export function sendDetection(detection: SafeDetection): void {
  const text = stringify(detection);
  if (text.length > MAX_DETECTION) {
    const key = stringify(detection.dedupeKey);
    const reason = `yielded ${key} with ${text.length} characters of data; the limit is ${MAX_DETECTION}`;
    send({ type: "incomplete", reason });
    return;
  }
  if (length === 0) timer = setTimeout(flushDetections, BATCH_TIME);
  batch[batch.length] = text;
  length += text.length;
  detected += 1;
  if (detected <= UNBATCHED || length > BATCH_SIZE) flushDetections();
}

/** Writes the batch and stops its timer. */
export function flushDetections(): void {
  if (length === 0) return;
  clearTimeout(timer);
  let list = batch[0] ?? "";
  for (let at = 1; at < batch.length; at++) list += `,${batch[at]}`;
  batch = [];
  length = 0;
  write(`{"type":"detections","detections":[${list}],"job":${stringify(job)}}`);
}

function write(text: string): void {
  const bytes = bytesOf(`${text}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(PIPES.toEngine, bytes, at);
}

/** Passes each message of the engine on, with its body. This process ends with the engine. */
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

/** The engine's messages are trusted. */
function parseMessage(text: string): ToWorker {
  return parse(text);
}
