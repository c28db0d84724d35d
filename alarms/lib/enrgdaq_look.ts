import type { AlarmClient } from "swf-alarms";
import { clientScope, type DaqClient, daqName } from "./enrgdaq.ts";
import { ask, askStatus, type StatusAnswer } from "./enrgdaq_ask.ts";
import { type LogLine, parseLogs } from "./enrgdaq_logs.ts";

/** One client in this tick. */
export interface Look {
  readonly id: string;
  /** Seconds since its heartbeat was first seen where it still is. */
  readonly silentFor: number;
  readonly lastSeen: string | null;
  readonly isSilent: boolean;
  readonly status: StatusAnswer;
  /** Undefined if its log could not be read. */
  readonly lines: readonly LogLine[] | undefined;
}

export async function lookAt(
  client: AlarmClient,
  { id, lastSeen }: DaqClient,
  silentFor: number,
  silentSeconds: number,
): Promise<Look> {
  const daq = client.source("enrgdaq");
  const scope = clientScope(id);
  if (lastSeen === null)
    client.incomplete(`${daqName(id)} has no last_seen that can be read`, scope);
  const isSilent = silentFor >= silentSeconds;
  // The log is the service's own copy, which it has for a dead client too.
  const logScope = `${scope}errors`;
  const [status, log] = await Promise.all([
    askStatus(daq, id, isSilent),
    ask(daq, id, "logs", logScope),
  ]);
  const lines = log.kind === "answer" ? parseLogs(log.value) : undefined;
  if (lines === null) client.incomplete(`${daqName(id)}: its log cannot be read`, logScope);
  return { id, lastSeen, silentFor, isSilent, status, lines: lines ?? undefined };
}
