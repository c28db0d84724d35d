import type { AlarmClient } from "../../src/index.ts";
import { makeClient } from "../../src/source/client/alarm_client.ts";
import { CLIENT_FACTS } from "./client_facts.ts";

/** A client for modules that request nothing. */
export const IDLE_CLIENT: AlarmClient = makeClient({
  ...CLIENT_FACTS,
  sources: new Map(),
  now: 0,
  onIncomplete: () => {},
});
