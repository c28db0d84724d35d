import { type Level, NO_LEVEL } from "../core/level.ts";
import type { Outcome } from "../core/model.ts";
import { scopeErrors, scopeNotes, scopeRecords } from "../core/scopes.ts";
import { parseJson } from "../source/parse_json.ts";
import { attempt } from "../text/attempt.ts";
import { cut } from "../text/describe.ts";
import { utcSecond } from "../text/utc.ts";
import { jsonTime, line } from "./output.ts";
import type { PlannedMessage } from "./plan_messages.ts";
import { redact } from "./secrets.ts";

export interface TryAnswer {
  readonly alarm: string;
  /** Epoch seconds that counted as now, and whether that is so. */
  readonly now: number;
  readonly isNow: boolean;
  readonly outcome: Outcome;
  readonly messages: readonly PlannedMessage[];
}

export function tryFacts({ alarm, now, outcome, messages }: TryAnswer) {
  const { status, cause, reasons, detections, levels, clears, notes, scopes, memory } = outcome;
  const { seconds, requests } = outcome;
  return {
    alarm,
    now: jsonTime(now),
    outcome: status,
    cause,
    reasons,
    notes,
    scopes: scopeRecords(scopes),
    seconds: rounded(seconds),
    requests: { ...requests, seconds: rounded(requests.seconds) },
    memory: memory && {
      bytes: Buffer.byteLength(memory),
      value: attempt(() => parseJson(memory), memory),
    },
    detections: [...detections.values()].map(({ dedupeKey: key, ...rest }) => {
      const { severity, stage } = levels.get(key) ?? NO_LEVEL;
      return { key, ...rest, severity, stage };
    }),
    clears: [...clears].map(([key, reason]) => ({ key, reason })),
    messages: messages.map(({ channel, held, to, message }) => {
      const { subject, text } = message ?? {};
      const reason = held.length === 0 ? undefined : held.join("; ");
      return { channel, notifies: reason === undefined, reason, to, subject, text };
    }),
  };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

export function renderTry({ alarm: _, now, isNow, outcome, messages }: TryAnswer): string[] {
  return [
    ...renderDetections(outcome),
    ...renderOutcome(outcome),
    ...line("time", isNow ? undefined : `${utcSecond(now)} instead of now`),
    ...line("requests", renderRequests(outcome.requests)),
    ...line("memory", renderMemory(outcome.memory)),
    ...messages.flatMap(renderMessage),
  ];
}

function renderDetections({ detections, levels, clears }: Outcome): string[] {
  const lines = [...detections.values()].flatMap(({ dedupeKey, subject, body, data }) => [
    `${dedupeKey}: ${subject}`,
    ...levelLine(levels.get(dedupeKey) ?? NO_LEVEL),
    ...(body === "" ? [] : indented(body)),
    ...(Object.keys(data).length === 0 ? [] : [`    data ${JSON.stringify(data)}`]),
    "",
  ]);
  for (const [key, reason] of clears) lines.push(`${key}: the module ends it: ${reason}`, "");
  return lines;
}

/** Such as `    severity error, stage initial`. */
function levelLine(level: Level): string[] {
  const given = Object.entries(level).filter(([, value]) => value !== undefined);
  return given.length === 0 ? [] : [`    ${given.map((each) => each.join(" ")).join(", ")}`];
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .replace(/^(?=.)/gm, "    ")
    .split(/\r?\n/);
}

function renderOutcome({ status, detections, seconds, reasons, notes, scopes }: Outcome) {
  const count = `${detections.size} detection(s) in ${seconds.toFixed(2)} s`;
  return [
    `outcome ${status}: ${count}; nothing was written`,
    ...[...reasons, ...scopeErrors(scopes), ...notes, ...scopeNotes(scopes)].map(
      (text) => `  ${text}`,
    ),
  ];
}

function renderRequests({ count, seconds, bytes }: Outcome["requests"]): string {
  return count === 0 ? "none" : `${count} in ${seconds.toFixed(2)} s, ${renderBytes(bytes)}`;
}

const MAX_VALUE = 200;

function renderMemory(memory: string | undefined): string | undefined {
  if (memory === undefined) return undefined;
  // Not after the cut, which may be inside a secret.
  const value = cut(redact(memory), MAX_VALUE);
  return `${renderBytes(Buffer.byteLength(memory))}, not kept now: ${value}`;
}

function renderBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}

function renderMessage({ channel, held, to, message }: PlannedMessage): string[] {
  if (message === undefined) return ["", `channel ${channel}: no message: ${held.join("; ")}`];
  const who = to.length === 0 ? "" : ` to ${to.join(" ")}`;
  return [
    "",
    `channel ${channel}: a tick ${held.length === 0 ? "would" : "would not"} send this${who}`,
    ...held.map((reason) => `  ${reason}`),
    `    Subject: ${message.subject}`,
    "",
    ...indented(message.text),
  ];
}
