import { cut } from "../../text/describe.ts";

/** ` (at detect (…:3:5))`; empty if the error has no stack. */
export function placeOf({ stack }: Error): string {
  const frames = typeof stack === "string" ? stack.slice(-10_000).split("\n") : [];
  const place = frames.find((line) => line.trimStart().startsWith("at "))?.trim();
  return place === undefined ? "" : ` (${cut(place, 300)})`;
}
