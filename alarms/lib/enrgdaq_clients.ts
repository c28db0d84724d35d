import type { AlarmClient, Detection } from "swf-alarms";
import { clientScope, daqName } from "./enrgdaq.ts";
import { jobKey } from "./enrgdaq_judge.ts";
import type { Known } from "./enrgdaq_known.ts";
import type { Look } from "./enrgdaq_look.ts";
import { show } from "./fields.ts";

export interface ClientParams {
  readonly expected_clients: readonly string[];
  readonly ignore_clients: readonly string[];
  readonly forget_hours: number;
}

/** A client that is silent or does not answer. */
export function* judgeContact(look: Look): Generator<Detection> {
  const { id, lastSeen, silentFor, isSilent, status } = look;
  if (!isSilent && status.kind !== "no answer") return;
  const seconds = Math.floor(silentFor);
  const beats = `its heartbeat is still that of ${show(lastSeen)} (its local time)`;
  yield {
    dedupeKey: `${clientScope(id)}contact`,
    subject: isSilent
      ? `${daqName(id)} has been silent for at least ${seconds} s: ${beats}`
      : `${daqName(id)} does not answer: ${show(status.kind === "no answer" ? status.reason : null)}`,
    body: isSilent
      ? "It died, hangs or lost its connection. What its jobs do is not known."
      : "What its jobs do is not known. Its heartbeat came a short time ago.",
    severity: "error",
    data: { metric: isSilent ? `${seconds} s` : "no answer", client: id, last_seen: lastSeen },
  };
}

/** Clients that the service does not list, though they were there or are expected. */
export function* judgeGone(
  client: AlarmClient,
  looks: readonly Look[],
  { clients }: Known,
  { expected_clients, ignore_clients }: ClientParams,
): Generator<Detection> {
  const listed = new Set(looks.map(({ id }) => id));
  for (const id of new Set([...expected_clients, ...clients])) {
    if (listed.has(id) || ignore_clients.includes(id)) continue;
    client.incomplete(`the service does not list ${daqName(id)}`, clientScope(id));
    yield {
      dedupeKey: `${clientScope(id)}contact`,
      subject: clients.has(id)
        ? `the service does not list ${daqName(id)} any more`
        : `the service does not list ${daqName(id)}, which is expected`,
      body: "The service was restarted and it did not connect again, or it has another id now.",
      severity: "error",
      data: { metric: "gone", client: id },
    };
  }
}

/** What was expected until now, and has not been there for too long. */
export function* forgotten(
  firing: readonly string[],
  before: Known,
  known: Known,
  looks: readonly Look[],
  { forget_hours, expected_clients }: ClientParams,
) {
  const clear = `not there for ${forget_hours} h: not expected any more`;
  for (const id of before.clients) {
    if (known.clients.has(id) || looks.some((look) => look.id === id)) continue;
    const contact = `${clientScope(id)}contact`;
    for (const dedupeKey of firing)
      if (dedupeKey.startsWith(clientScope(id)))
        if (dedupeKey !== contact || !expected_clients.includes(id)) yield { dedupeKey, clear };
  }
  for (const { id } of looks)
    for (const [name, count] of before.jobs.get(id) ?? [])
      if (count > (known.jobs.get(id)?.get(name) ?? 0)) {
        const dedupeKey = jobKey(id, name, "missing");
        if (firing.includes(dedupeKey)) yield { dedupeKey, clear };
      }
}
