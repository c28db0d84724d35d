import type { Config } from "../config/config.ts";
import { type Announcement, announceAnswers, announceTrouble } from "../core/announcement.ts";
import type { Mode, Team } from "../core/model.ts";
import { resolveRecipients } from "../core/recipients.ts";
import {
  afterSourceNotice,
  isRequestErrorOf,
  nextSourceState,
  type RequestCounts,
  renderUnreachable,
  type SourceState,
  unsentNotice,
} from "../core/source_state.ts";
import type { Database } from "../store/database.ts";
import { type States, saveSourceState, sourceStateOf } from "../store/saved_states.ts";
import { errorText } from "../text/describe.ts";
import { announce } from "./announce.ts";
import type { Mailing } from "./mailing.ts";
import type { AlarmResult } from "./result.ts";

export interface SourceFacts {
  readonly config: Config;
  readonly db: Database;
  readonly mode: Mode;
  readonly now: number;
  readonly runId: string;
  readonly states: States;
  readonly teams: ReadonlyMap<string, Team>;
  readonly sources: { readonly byName: ReadonlyMap<string, { readonly counts: RequestCounts }> };
  readonly mailing: Mailing;
  readonly clock: () => number;
  readonly redact: (text: string) => string;
}

/** What is wrong with the sources, for the report. */
export interface SourceReport {
  /** Names of the sources that answered nothing in this tick. */
  readonly unreachable: readonly string[];
  /** One line each. */
  readonly errors: readonly string[];
  /** How many mails the operators got. */
  readonly mails: number;
}

/** Looks at how every source answered, remembers it, and tells the operators. Never throws. */
export async function watchSources(
  results: readonly AlarmResult[],
  facts: SourceFacts,
): Promise<SourceReport> {
  const unreachable: string[] = [];
  const problems: string[] = [];
  let mails = 0;
  for (const [name, { counts: tally }] of facts.sources.byName) {
    const before = sourceStateOf(facts.states, name);
    const memory = nextSourceState(before, tally, facts.now);
    const blind = blindAlarms(name, results);
    if (memory?.kind === "trouble" && tally.requests > 0) {
      unreachable.push(name);
      problems.push(renderUnreachable(name, memory, tally, blind));
    }
    if (facts.mode === "plan") continue;
    try {
      const told = await saveAndTell(
        { name, before, memory, blind, asked: tally.requests > 0 },
        facts,
      );
      mails += told.sent ? 1 : 0;
      problems.push(...told.problems);
    } catch (error) {
      const reason = errorText(error);
      problems.push(`cannot remember how the source ${name} answered: ${reason}`);
    }
  }
  return { unreachable, errors: problems.map(facts.redact), mails };
}

/** The alarms that could not look because of this source, by `entry_id`. */
function blindAlarms(source: string, results: readonly AlarmResult[]): readonly string[] {
  return results
    .filter(
      (result) => result.kind === "ran" && result.errors.some((e) => isRequestErrorOf(source, e)),
    )
    .map(({ row }) => row.entryId)
    .sort();
}

interface Watched {
  readonly name: string;
  readonly before: SourceState | undefined;
  readonly memory: SourceState | undefined;
  readonly blind: readonly string[];
  /** Whether this tick asked it anything. */
  readonly asked: boolean;
}

interface Told {
  readonly sent: boolean;
  readonly problems: readonly string[];
}

const NOT_TOLD: Told = { sent: false, problems: [] };

async function saveAndTell(watched: Watched, facts: SourceFacts): Promise<Told> {
  const { config, db, mode, now, teams } = facts;
  const { name, before, memory } = watched;
  const announcement = announcementOf(watched, facts);
  const { addresses, unresolved } = resolveRecipients(config.operators, teams);
  const due = announcement !== undefined && mode === "tick" && config.operators.length > 0;
  const channel = due && addresses.length > 0 ? await facts.mailing.channel() : undefined;
  // An end that nobody can be told of is not kept for the day when somebody can.
  const isMoot = memory?.kind === "recovered" && mode === "tick" && channel === undefined;
  const kept = isMoot ? undefined : memory;
  if (JSON.stringify(kept) !== JSON.stringify(before)) await saveSourceState(db, name, kept, now);
  if (due && addresses.length === 0) {
    const nobody = `nobody to mail about the source ${name}: [email] operators names ${unresolved.join(", ")}, no team with members; see: bin/swf-alarms team list`;
    return { sent: false, problems: [nobody] };
  }
  if (announcement === undefined || channel === undefined) return NOT_TOLD;
  const error = await announce(db, channel, {
    ...facts,
    announcement,
    recipients: addresses,
    confirmed: (tx) => saveSourceState(tx, name, afterSourceNotice(memory), now),
  });
  return { sent: error === undefined, problems: error === undefined ? [] : [error] };
}

function announcementOf(
  { name, memory, blind, asked }: Watched,
  { config, now }: SourceFacts,
): Announcement | undefined {
  const about = unsentNotice(memory, asked, now, config.engine.unreachableAfter);
  if (about === undefined) return undefined;
  if (memory?.kind === "trouble") return announceTrouble(name, memory, blind);
  return memory?.kind === "recovered" ? announceAnswers(name, memory) : undefined;
}
