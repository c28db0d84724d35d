import { daqParts } from "./enrgdaq.ts";
import { objectOf } from "./fields.ts";

/** What a Track remembers of a DAQ, by the keys of its samples. */
export interface Known {
  /** Clients of which a `last_seen` was seen. */
  readonly clients: ReadonlySet<string>;
  /** Client → name of a job → how many of them ran side by side. */
  readonly jobs: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** From the memory of a Track, or from whatever was remembered instead. */
export function knownFrom(memory: unknown): Known {
  const clients = new Set<string>();
  const jobs = new Map<string, Map<string, number>>();
  for (const key of Object.keys(objectOf(objectOf(memory)?.keys) ?? {})) {
    const [what, client = "", name = ""] = daqParts(key);
    if (what === "seen") clients.add(client);
    if (what !== "here") continue;
    const names = jobs.get(client) ?? new Map<string, number>();
    jobs.set(client, names.set(name, (names.get(name) ?? 0) + 1));
  }
  return { clients, jobs };
}
