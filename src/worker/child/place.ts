import { cut } from "../../text/describe.ts";

/** Characters at the end of a stack that hold all its frames. */
const MAX_FRAMES = 10_000;

/** ` (at detect (…:3:5))`; empty where the error does not tell. */
export function placeOf({ stack }: Error): string {
  const frames = typeof stack === "string" ? stack.slice(-MAX_FRAMES).split("\n") : [];
  const place = frames.find((line) => line.trimStart().startsWith("at "))?.trim();
  return place === undefined ? "" : ` (${cut(place, 300)})`;
}
