import { type AlarmClient, type JsonValue, type Scalar, Track } from "swf-alarms";
import {
  clientScope,
  type DaqClient,
  type DaqStatus,
  daqKey,
  daqName,
  parseStatus,
} from "./enrgdaq.ts";

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

/** For a Track: the heartbeats of the clients, which are compared with those of the next tick. */
export function sampleHeartbeats(clients: readonly DaqClient[]): ReadonlyMap<string, Scalar> {
  const readable = clients.flatMap(({ id, lastSeen }): [string, Scalar][] =>
    lastSeen === null ? [] : [[daqKey("seen", id), lastSeen]],
  );
  return new Map(readable);
}

/**
 * Seconds since a client's heartbeat was first seen where it still is, by the ticks' own clock. Of the samples that the Track
 * of a tick is to have, only the heartbeats are known before the clients are asked.
 */
export function silenceOf(memory: unknown, clients: readonly DaqClient[], now: number) {
  const options = { now, keep: 1, unknown: () => true };
  const track = new Track(memory, sampleHeartbeats(clients), options);
  return (id: string): number => now - (track.since(daqKey("seen", id)) ?? now);
}

/**
 * What a client runs. One that is silent is not asked: it would take all the time of the question, in each tick, and the service
 * lists a client for ever. If it does not answer, nothing is known of its events.
 */
export async function askStatus(
  daq: AlarmClient,
  id: string,
  isSilent: boolean,
): Promise<StatusAnswer> {
  const scope = clientScope(id);
  const unknown = (reason: string): StatusAnswer => {
    daq.incomplete(`${daqName(id)}: ${reason}`, scope);
    return { kind: "no answer", reason };
  };
  if (isSilent) return unknown("it is silent, so it was not asked");
  const answer = await ask(daq, id, "status", scope);
  if (answer.kind !== "answer") return answer;
  const parsed = parseStatus(id, answer.value);
  return parsed.ok ? { kind: "answer", value: parsed.status } : unknown(parsed.error);
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
