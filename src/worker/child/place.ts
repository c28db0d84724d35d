import { fileURLToPath } from "node:url";
import { cut } from "../../text/describe.ts";

/** The engine's own code, built or not. */
const OWN = fileURLToPath(new URL("../../", import.meta.url));

/** ` (at detect (…:3:5))`: where the module was, also in a call of the engine; empty if the error does not tell. */
export function placeOf({ stack }: Error): string {
  const frames = typeof stack === "string" ? stack.slice(-10_000).split("\n") : [];
  const place = frames.map((line) => line.trim()).find(isOfModule);
  return place === undefined ? "" : ` (${cut(place, 300)})`;
}

function isOfModule(line: string): boolean {
  const isOurs = line.includes(OWN) || line.includes("node:") || line.includes("<anonymous>");
  return line.startsWith("at ") && !isOurs;
}
