import type { AlarmClient } from "../../src/index.ts";

/** A client for modules that request nothing. */
export const IDLE_CLIENT: AlarmClient = {
  now: 0,
  signal: new AbortController().signal,
  get: async () => null,
  find: async () => undefined,
  pages: async function* () {},
  source: () => IDLE_CLIENT,
  firing: async () => [],
  incomplete: () => {},
  log: () => {},
};
