import type { ClientFacts } from "../../src/source/client/alarm_client.ts";

/** Of a client for an alarm that has no events and remembers nothing; all but the sources and the time. */
export const CLIENT_FACTS: Omit<ClientFacts, "sources" | "now" | "onIncomplete"> = {
  signal: new AbortController().signal,
  log: () => {},
  firing: async () => [],
  firingEvents: async () => [],
  previous: async () => undefined,
  positions: { stored: async () => ({}), current: new Map() },
  onNote: () => {},
  onRemember: () => {},
  onWait: () => {},
};

/** What the engine answers about such an alarm. */
export const NOTHING_STORED = {
  firing: (): readonly string[] => [],
  firingEvents: async () => [],
  previous: async () => undefined,
  positions: async () => ({}),
};
