import fs from "node:fs";
import { Socket } from "node:net";
import type { SafeDetection } from "../core/model.ts";
import { frameSplitter } from "../modules/frames.ts";
import { type FromRunner, PIPES, type ToRunner } from "../modules/wire.ts";

// A module may put its own in their place; messages must not pass through it.
const { parse, stringify } = JSON;
const { writeSync } = fs;
const bytesOf = Buffer.from.bind(Buffer);

/** Characters of one detection; its key, subject and body are far below. */
const MAX_DETECTION = 2 ** 20;

let job = "";

/** From now on all that is said is said of this job. */
export function speakOf(next: string): void {
  job = next;
}

/**
 * Says something to the engine. Returns when it is written: what a module yields before it hangs or
 * dies has then left its process, and one that yields without end waits for the engine to read.
 */
export function say(message: FromRunner): void {
  write(stringify({ ...message, job }));
}

/** Says what the module detected, or that it is too much for one detection. */
export function sayDetection(detection: SafeDetection): void {
  const text = stringify({ said: "detection", detection, job });
  if (text.length <= MAX_DETECTION) write(text);
  else {
    const key = stringify(detection.dedupeKey);
    const reason = `yielded ${key} with ${text.length} characters of data; at most ${MAX_DETECTION} are kept`;
    say({ said: "incomplete", reason });
  }
}

function write(text: string): void {
  const bytes = bytesOf(`${text}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(PIPES.toEngine, bytes, at);
}

/** Hands every message of the engine to `take`, with its body. When the engine is gone this process ends, too. */
export function listen(take: (message: ToRunner, body: Buffer) => void): void {
  const socket = new Socket({ fd: PIPES.toRunner, readable: true, writable: false });
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
function parseMessage(text: string): ToRunner {
  return parse(text);
}
