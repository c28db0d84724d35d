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
/** The share of killed ticks that are followed by one with faults that nobody kills. */
const FAULTY = 0.5;

/** Kills ticks of the site until it has been enough, and judges what is on record in between. */
export async function killTicks(
  site: Site,
  kills: number,
  operators: readonly string[],
): Promise<void> {
  const begin = performance.now();
  const database = site.dsn === undefined ? "embedded" : "postgres";
  const dice = new Dice(SEED);
  const world = new World(dice, operators);
  const instants = new Instants(dice, database);
  await addAlarms(site);
  const laboratory = await Laboratory.open(site, world, new Dice(SEED + 1));

  const settle = async (): Promise<void> => {
    const isFaulty = dice.chance(FAULTY);
    if (isFaulty) expect([0, 1], `seed ${SEED}`).toContain((await laboratory.tick(true)).code);
    const states = await passPauses(site);
    if (isFaulty) expect(states, `seed ${SEED}`).not.toContain("sending");
    expect(await laboratory.tick(false), `seed ${SEED}`).toEqual(QUIET);
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

/** Lets the next tick attempt what is open, as if its pause was over. Returns the states of these notifications. */
async function passPauses(site: Site): Promise<readonly unknown[]> {
  const rows = await site.query(
    `UPDATE entry SET data = data || '{"not_before": 0}'
     WHERE kind = 'notification' AND data ? 'not_before' RETURNING data->>'state' AS state`,
  );
  return rows.map(({ state }) => state);
}
