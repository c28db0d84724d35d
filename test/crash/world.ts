import { insertAlarm } from "../support/rows.ts";
import type { Site, Thing } from "../support/site.ts";
import type { Dice } from "./dice.ts";

/** The alarms of the suite; mail of the last one is off. */
export const ALARMS = [
  { name: "cups", mails: true },
  { name: "plates", mails: true },
  { name: "spoons", mails: false },
] as const;

const KEYS = ["a", "b", "c", "d", "e", "f"];
const CHANGE = 0.4;

/** What is wrong out there: things appear and vanish as the dice fall. */
export class World {
  readonly #dice: Dice;
  readonly #wrong = new Map<string, Set<string>>(ALARMS.map(({ name }) => [name, new Set()]));

  constructor(dice: Dice) {
    this.#dice = dice;
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

  /** Each subject names its tick, so that a mail shows which event it speaks of. */
  things(alarm: string, tick: number): readonly Thing[] {
    return this.wrong(alarm).map((key) => ({ key, subject: `${key}@${tick}` }));
  }
}

/** Gives the site the alarms of the suite. */
export async function addAlarms(site: Site): Promise<void> {
  for (const { name } of ALARMS) site.module(`${name}.js`, moduleText(name));
  await site.withDatabase(async (db) => {
    for (const { name, mails } of ALARMS)
      await insertAlarm(db, name, { enabled: mails, recipients: `${name}@example.org` });
  });
}

function moduleText(name: string): string {
  return `
export async function* detect(client) {
  for await (const { key, subject } of client.pages("/${name}/")) yield { dedupeKey: key, subject };
}
`;
}
