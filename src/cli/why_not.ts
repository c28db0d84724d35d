import type { Command } from "commander";
import type { Outcome } from "../core/model.ts";
import { nextTry } from "../core/quarantine.ts";
import { prefixFinder, scopeErrors, scopeNotes, scopeRecords } from "../core/scopes.ts";
import { alarmStateOf } from "../store/engine_state.ts";
import { quote } from "../text/describe.ts";
import { suggestion } from "../text/nearest.ts";
import type { ChannelVerdict } from "./channel_verdict.ts";
import { addEventArguments } from "./event_options.ts";
import { EXIT, type SetExit } from "./exit_code.ts";
import { addJsonOption, line, print } from "./output.ts";
import { type PlanNoticesFacts, planNotices } from "./plan_notices.ts";
import { renderChannel } from "./render_why.ts";
import { addTryOptions, type Tried, type TryOptions, withTriedAlarm } from "./try_alarm.ts";
import { channelFacts } from "./verdict_facts.ts";
import { type WhyNotFacts, whyNotFacts } from "./why_not_facts.ts";

interface Answer extends WhyNotFacts {
  readonly alarm: string;
  readonly key: string;
  readonly outcome: Outcome;
  /** Keys that were detected and that the person may have meant. */
  readonly hint: string;
  /** What else keeps ticks from doing this; undefined if nothing does. */
  readonly note: string | undefined;
  readonly channels: readonly ChannelVerdict[];
}

export function declare(command: Command, setExit: SetExit): void {
  const described = addTryOptions(addEventArguments(command)).description(
    "Runs the detect of an alarm now and shows what a tick would do with one key and whom it would notify, or why not. Writes and sends nothing. The exit code is 1 if the key is not detected.",
  );
  addJsonOption(described).action(async (name: string, key: string, options: TryOptions) => {
    const answer = await withTriedAlarm(name, options, (tried) => tryKey(tried, key));
    print(options, jsonFacts(answer), renderAnswer(answer));
    setExit(answer.detected ? EXIT.ok : EXIT.failed);
  });
}

async function tryKey(tried: Tried, key: string): Promise<Answer> {
  const { db, config, alarm, now, states, recorded } = tried;
  const { row } = alarm;
  const { outcome, plan } = recorded;
  const facts = whyNotFacts({ key, outcome, plan });
  const { readiness } = alarm;
  const idle =
    readiness.kind === "not configured"
      ? `the alarm is not configured: ${readiness.missing.join("; ")}`
      : undefined;
  const { quarantine } = alarmStateOf(states, row.name) ?? {};
  return {
    ...facts,
    alarm: row.name,
    key,
    outcome,
    hint: facts.detected ? "" : suggestion(key, [...outcome.keys]),
    note: quarantine && `ticks skip the alarm, which is quarantined; ${nextTry(quarantine)}`,
    channels: await judgeChannels(facts, { db, config, alarm: row, key, recorded, idle, now }),
  };
}

async function judgeChannels({ action }: WhyNotFacts, facts: PlanNoticesFacts) {
  if (action === "none") return [];
  if (action !== "wait") return await planNotices(facts);
  // What would hold its notification once it fires.
  const { recorded, key } = facts;
  const recipients = recorded.outcome.detections.get(key)?.recipients ?? [];
  const opened = [{ id: "", dedupeKey: key, recipients }];
  const verdicts = await planNotices({ ...facts, recorded: { ...recorded, opened } });
  return verdicts.map((verdict): ChannelVerdict => {
    if (!verdict.notifies) return verdict;
    return { ...verdict, notifies: false, to: [], reason: "it has not fired yet" };
  });
}

const WOULD: { readonly [action in WhyNotFacts["action"]]: string } = {
  open: "would open an event",
  wait: "would not open an event yet",
  touch: "would keep its event",
  clear: "would clear its event",
  keep: "would keep its event, which is not detected",
  none: "would do nothing",
};

const OUTCOME = { partial: "is partial", failed: "failed" } as const;

function renderAnswer(answer: Answer): string[] {
  const { alarm, key, detected, subject, level, action, reason, outcome, hint, note } = answer;
  const { keys, seconds, status, reasons, scopes } = outcome;
  const [unseen] = prefixFinder(scopes)(key);
  const doubt =
    status !== "complete"
      ? `, but the outcome ${OUTCOME[status]}`
      : unseen === undefined
        ? ""
        : `, but not looked at: keys that begin with ${quote(unseen)}`;
  return [
    `${key} of ${alarm}: ${detected ? "detected now" : `not detected now${hint}${doubt}`}`,
    ...line("subject", subject),
    ...line("severity", level.severity),
    ...line("stage", level.stage),
    ...line("a tick now", `${WOULD[action]}: ${reason}`),
    ...answer.channels.flatMap((verdict) => renderChannel(verdict, "it would notify")),
    ...line(
      "outcome",
      `${status}: ${keys.size} detected in ${seconds.toFixed(2)} s; nothing was written`,
    ),
    ...[...reasons, ...scopeErrors(scopes), ...scopeNotes(scopes)].flatMap((each) =>
      line("", each),
    ),
    ...line("note", note),
  ];
}

function jsonFacts(answer: Answer) {
  const { alarm, key, detected, subject, level, action, reason, outcome, note } = answer;
  return {
    alarm,
    key,
    detected,
    subject,
    severity: level.severity,
    stage: level.stage,
    action,
    reason,
    channels: answer.channels.map(channelFacts),
    outcome: outcome.status,
    reasons: outcome.reasons,
    scopes: scopeRecords(outcome.scopes),
    notes: [...outcome.notes, ...(note === undefined ? [] : [note])],
  };
}
