import { insertAlarm } from "../support/rows.ts";
import type { Site, Thing } from "../support/site.ts";
import type { Dice } from "./dice.ts";
import { CHANNELS, type ChannelName } from "./received.ts";

/** The alarms of the suite: the second one notifies of clears, the last one of nothing. */
export const ALARMS = [
  { name: "cups", notifies: true, notifiesClears: false },
  { name: "plates", notifies: true, notifiesClears: true },
  { name: "spoons", notifies: false, notifiesClears: true },
] as const;

/** The built-in alarm. */
export const ENGINE = "alarm_engine";

/** Whether the end of an event is news, too, where its beginning was delivered. */
export function notifiesClears(alarm: string): boolean {
  return (
    alarm === ENGINE ||
    ALARMS.some(({ name, notifiesClears }) => notifiesClears && `alarm_${name}` === alarm)
  );
}

const KEYS = ["a", "b", "c", "d", "e", "f"];
const CHANGE = 0.4;

/** What is wrong out there: things appear and vanish as the dice fall. */
export class World {
  readonly #dice: Dice;
  readonly #wrong = new Map<string, Set<string>>(ALARMS.map(({ name }) => [name, new Set()]));
  /** Recipients of the alarm `engine`. */
  readonly operators: readonly string[];

  constructor(dice: Dice, operators: readonly string[]) {
    this.#dice = dice;
    this.operators = operators;
  }

  turn(): void {
    for (const keys of this.#wrong.values()) {
      for (const key of KEYS) {
        if (!this.#dice.chance(CHANGE)) continue;
        if (!keys.delete(key)) keys.add(key);
      }
    }
  }

  wrong(alarm: string): readonly string[] {
    return [...(this.#wrong.get(alarm) ?? [])].sort();
  }

  /** Each subject names its tick, so that a message shows which event it speaks of. */
  things(alarm: string, tick: number): readonly Thing[] {
    return this.wrong(alarm).map((key) => ({ key, subject: `${key}@${tick}` }));
  }

  /** The channels that must hear of an alarm's events; without recipients no mail is sent. */
  channelsOf(alarm: string): readonly ChannelName[] {
    if (alarm === ENGINE)
      return CHANNELS.filter((name) => name !== "email" || this.operators.length > 0);
    return ALARMS.some(({ name, notifies }) => notifies && `alarm_${name}` === alarm)
      ? CHANNELS
      : [];
  }
}

/** Gives the site the alarms of the suite. */
export async function addAlarms(site: Site): Promise<void> {
  for (const { name } of ALARMS) site.module(`${name}.js`, moduleText(name));
  await site.withDatabase(async (db) => {
    for (const { name, notifies, notifiesClears } of ALARMS)
      await insertAlarm(db, name, {
        enabled: notifies,
        notify_clear: notifiesClears,
        recipients: `${name}@example.org`,
      });
  });
}

function moduleText(name: string): string {
  return `
export async function* detect(client) {
  for await (const { key, subject } of client.pages("/${name}/")) yield { dedupeKey: key, subject };
}
`;
}
