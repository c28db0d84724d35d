import { randomInt } from "node:crypto";
import { expect } from "vitest";
import { QUIET } from "../support/quiet.ts";
import type { Site } from "../support/site.ts";
import { Dice } from "./dice.ts";
import { renderFigures } from "./figures.ts";
import type { History } from "./history.ts";
import { Instants } from "./instants.ts";
import { Laboratory } from "./laboratory.ts";
import { complaints } from "./verdict.ts";
import { addAlarms, World } from "./world.ts";

/** Kills in all: SWF_ALARMS_CRASH_KILLS=200 is the long form. */
const ALL = Number(process.env.SWF_ALARMS_CRASH_KILLS ?? 25);
/** A database is killed so often while it is made, which takes seconds each time. */
const MAKING = Math.ceil(ALL / 25);
/** Ticks on the embedded database take longer than on the other. */
const EMBEDDED = Math.floor((ALL - MAKING) * 0.3);
export const KILLS = {
  postgres: ALL - MAKING - EMBEDDED,
  embedded: EMBEDDED,
  making: MAKING,
} as const;

/** What the dice start with; a given one throws the same again. */
export const SEED = Number(process.env.SWF_ALARMS_CRASH_SEED ?? randomInt(1_000_000));

/** Milliseconds for all of it: a minute for a kill, on a machine that is busy with other things. */
export const TIMEOUT = (ALL + 2) * 60_000;

/** So often a moment that does not come is waited for. */
const TRIES = 3;
/** The share of killed ticks that are followed by another one. */
const ANOTHER = 0.5;

/** Kills ticks of the site until it has been enough, and judges what is on record in between. */
export async function killTicks(site: Site, kills: number): Promise<void> {
  const begin = performance.now();
  const database = site.dsn === undefined ? "embedded" : "postgres";
  const dice = new Dice(SEED);
  const world = new World(dice);
  const instants = new Instants(dice, database);
  await addAlarms(site);
  const laboratory = await Laboratory.open(site, world);

  let inARow = 0;
  const settle = async (): Promise<void> => {
    if (inARow > 1) await passPauses(site);
    inARow = 0;
    expect(await laboratory.tick(), `seed ${SEED}`).toEqual(QUIET);
  };
  const judge = async (): Promise<History> => {
    const history = await laboratory.history();
    expect(complaints(history, world), `seed ${SEED}`).toEqual([]);
    return history;
  };

  world.turn();
  await settle();
  let killed = 0;
  let instant = instants.next();
  for (let tries = 0; killed < kills; ) {
    world.turn();
    instants.writes = Math.max(instants.writes, laboratory.moments.seen("wrote"));
    const hit = await laboratory.kill(instant);
    tries += 1;
    if (hit) killed += 1;
    if (hit) inARow += 1;
    // A moment may not come in a tick that has nothing to do.
    if (hit || tries === TRIES) {
      instant = instants.next();
      tries = 0;
    }
    // Now and then one tick dies after another, and the world does not wait for either.
    if (killed < kills && dice.chance(ANOTHER)) continue;
    if (dice.chance(0.5)) world.turn();
    await settle();
    // Opening the embedded database takes as long as a tick, and what is wrong once stays on record.
    if (database === "postgres" || dice.chance(0.5)) await judge();
  }
  const history = await judge();
  const seconds = (performance.now() - begin) / 1000;
  process.stdout.write(renderFigures(history, { database, seed: SEED, seconds }));
}

/** The third mail that names an event waits after two unknown results, for six hours at most. */
async function passPauses(site: Site): Promise<void> {
  await site.query(
    "UPDATE entry SET timestamp_created = timestamp_created - 21600 WHERE kind = 'notification' AND data->>'outcome' = 'unknown'",
  );
}
