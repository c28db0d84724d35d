import type { AlarmClient, JsonValue } from "swf-alarms";
import { type DaqStatus, daqName, parseStatus } from "./enrgdaq.ts";

/** Seconds. The service itself waits 30 for a client that is dead before it answers. */
const TIMEOUT = 5;

/** What became of a question to one client. */
export type DaqAnswer<T> =
  | { readonly kind: "answer"; readonly value: T }
  /** It did not answer, or not in a way that can be read. */
  | { readonly kind: "no answer"; readonly reason: string }
  /** It was not asked, because the whole service is down. */
  | { readonly kind: "not asked" };

export type StatusAnswer = DaqAnswer<DaqStatus>;

/** What a client runs. If it does not answer, nothing is known of the keys in `scope`. */
export async function askStatus(
  daq: AlarmClient,
  id: string,
  scope: string,
): Promise<StatusAnswer> {
  const answer = await ask(daq, id, "status", scope);
  if (answer.kind !== "answer") return answer;
  const parsed = parseStatus(id, answer.value);
  if (parsed.ok) return { kind: "answer", value: parsed.status };
  daq.incomplete(`${daqName(id)}: ${parsed.error}`, scope);
  return { kind: "no answer", reason: parsed.error };
}

/**
 * One GET of `/clients/{id}/…`. It is sent once and given up early, so that a dead client costs its own events and never the
 * time of the others.
 */
export async function ask(
  daq: AlarmClient,
  id: string,
  what: "status" | "logs",
  scope: string,
): Promise<DaqAnswer<JsonValue>> {
  const path = `clients/${encodeURIComponent(id.toWellFormed())}/${what}`;
  const outcome = await daq.request(path, { timeout: TIMEOUT, attempts: 1, scope });
  if (outcome.ok) return { kind: "answer", value: outcome.value };
  if (outcome.kind === "circuit open") return { kind: "not asked" };
  // The service's own 404 counts as an answer; here it says that the client cannot be asked.
  if (outcome.status === 404) daq.incomplete(`${daqName(id)}: ${outcome.reason}`, scope);
  return { kind: "no answer", reason: outcome.reason };
}
