import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { lineSplitter } from "../modules/lines.ts";
import { type FromRunner, PIPES, type ToRunner } from "../modules/wire.ts";

// A module may put its own in their place; messages must not pass through it.
const { parse, stringify } = JSON;

/**
 * Says something to the engine. Returns when it is written: what a module yields before it hangs or
 * dies has then left its process, and one that yields without end waits for the engine to read.
 */
export function say(message: FromRunner): void {
  const bytes = Buffer.from(`${stringify(message)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(PIPES.toEngine, bytes, at);
}

/** Hands every message of the engine to `take`. When the engine is gone this process ends, too. */
export function listen(take: (message: ToRunner) => void): void {
  const socket = new Socket({ fd: PIPES.toRunner, readable: true, writable: false });
  const split = lineSplitter(Number.POSITIVE_INFINITY, (line) => take(parseMessage(line)));
  socket.on("data", split);
  const end = (): void => {
    process.kill(process.pid, "SIGKILL");
  };
  socket.on("end", end);
  socket.on("error", end);
}

/** The engine's own words. */
function parseMessage(line: string): ToRunner {
  return parse(line);
}
