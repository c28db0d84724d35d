import { fileURLToPath } from "node:url";
import { cut } from "../../text/describe.ts";

/** The engine's own code, built or not. */
const OWN = fileURLToPath(new URL("../../", import.meta.url));

/** Where it was thrown, such as ` (at detect (…:3:5))`; empty if the error has no stack. */
export function throwPlaceOf(error: Error): string {
  return show(framesOf(error)[0]);
}

/** Where the module was when it was thrown, also in a call of the engine or of Node. */
export function placeOf(error: Error): string {
  return show(framesOf(error).find(isOfModule));
}

function framesOf({ stack }: Error): readonly string[] {
  const lines = typeof stack === "string" ? stack.slice(-10_000).split("\n") : [];
  return lines.map((line) => line.trim()).filter((line) => line.startsWith("at "));
}

function isOfModule(frame: string): boolean {
  const isBuiltIn = frame.includes("node:") || /(^at | \()<anonymous>\)?$/.test(frame);
  return !isBuiltIn && !frame.includes(OWN);
}

function show(frame: string | undefined): string {
  return frame === undefined ? "" : ` (${cut(frame, 300)})`;
}
