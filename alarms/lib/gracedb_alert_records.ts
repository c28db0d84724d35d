import type { AlarmClient, Sight } from "swf-alarms";
import { quote } from "./fields.ts";
import {
  type AlertFacts,
  type KnownAlert,
  type Need,
  NO_FACTS,
  parseFacts,
} from "./gracedb_alerts.ts";

/** Of a superevent: what is known, and what became of the lists that were loaded in this tick. */
interface Entry {
  readonly facts: AlertFacts;
  /** True, or why it could not be loaded. */
  readonly loaded: { readonly [need in Need]?: true | string };
}

export interface RememberedAlerts {
  readonly [id: string]: Pick<AlertFacts, "labels" | "notices">;
}

/**
 * The lists of superevents that were loaded in this tick or before. What a list showed stays true, so it is loaded again only
 * for something that it did not show.
 */
export class AlertRecords {
  readonly #client: AlarmClient;
  readonly #entries: Map<string, Entry>;

  constructor(client: AlarmClient, remembered: RememberedAlerts = {}) {
    this.#client = client;
    this.#entries = new Map(
      Object.entries(remembered).map(([id, facts]) => [
        id,
        { facts: { ...NO_FACTS, ...facts }, loaded: {} },
      ]),
    );
  }

  known(id: string): KnownAlert {
    const { facts, loaded } = this.#entry(id);
    return { facts, absent: (need) => absence(need, loaded[need]) };
  }

  /** Loads a list; a failure makes only this superevent unknown. */
  async load(id: string, need: string): Promise<void> {
    if (!isNeed(need))
      throw new Error(`${id}: GraceDB has no list ${quote(need)} that is read here`);
    const { facts, loaded } = this.#entry(id);
    const more = await loadFacts(this.#client, { id, need, scope: `${id}:` });
    const result = typeof more === "string" ? more : true;
    this.#entries.set(id, {
      facts: typeof more === "string" ? facts : { ...facts, ...more },
      loaded: { ...loaded, [need]: result },
    });
  }

  /** What is worth keeping of these superevents. */
  toRemember(ids: ReadonlySet<string>): RememberedAlerts {
    return Object.fromEntries(
      [...this.#entries]
        .filter(([id]) => ids.has(id))
        .map(([id, { facts }]) => [id, { labels: facts.labels, notices: facts.notices }]),
    );
  }

  #entry(id: string): Entry {
    return this.#entries.get(id) ?? { facts: NO_FACTS, loaded: {} };
  }
}

/** What one list of a superevent shows, or why that cannot be known; a failed request leaves the keys of the scope as they are. */
export async function loadFacts(
  gracedb: AlarmClient,
  { id, need, scope }: { id: string; need: Need; scope: string },
): Promise<Partial<AlertFacts> | string> {
  const path = `superevents/${encodeURIComponent(id)}/${need}/`;
  const response = await gracedb.request(path, { scope });
  if (!response.ok) return response.reason;
  try {
    return parseFacts(need, response.value);
  } catch (error) {
    return `the response of ${path} cannot be read: ${error instanceof Error ? error.message : error}`;
  }
}

function isNeed(need: string): need is Need {
  return need === "labels" || need === "voevents" || need === "logs";
}

function absence(need: Need, loaded: true | string | undefined): Sight {
  if (loaded === undefined) return { need };
  return loaded === true ? false : { unknown: loaded };
}
