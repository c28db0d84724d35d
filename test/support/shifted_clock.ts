import { fileURLToPath, pathToFileURL } from "node:url";

/** The environment of a process whose clock is wrong by so many seconds; its server and its services have the true time. */
export function shiftedClock(seconds: number): { readonly [name: string]: string } {
  const file = fileURLToPath(new URL("shift_clock.mjs", import.meta.url));
  return {
    NODE_OPTIONS: `--import ${pathToFileURL(file).href}`,
    TEST_CLOCK_SHIFT: String(seconds),
  };
}
