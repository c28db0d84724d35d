import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { QUIET } from "../support/quiet.ts";
import { makeSite } from "../support/site.ts";
import { Dice } from "./dice.ts";
import { renderFigures } from "./figures.ts";
import type { History } from "./history.ts";
import { Instants } from "./instants.ts";
import { Laboratory } from "./laboratory.ts";
import { complaints } from "./verdict.ts";
import { addAlarms, World } from "./world.ts";

/** Kills over both databases: 200 in the long form. */
const KILLS = Number(process.env.SWF_ALARMS_CRASH_KILLS ?? 25);
const SEED = Number(process.env.SWF_ALARMS_CRASH_SEED ?? randomInt(1_000_000));
/** Seconds for one kill and what follows it, on a machine that is busy with other things. */
const PATIENCE = 20;
/** So often a moment that does not come is waited for. */
const TRIES = 3;
/** The share of killed ticks that are followed by another one. */
const ANOTHER = 0.35;

test.for([
  { database: "postgres", kills: Math.ceil(KILLS / 2) },
  { database: "embedded", kills: Math.floor(KILLS / 2) },
] as const)(
  "$kills kills at any instant on $database: nothing lost, nothing half made, nothing left behind",
  { timeout: (60 + KILLS * PATIENCE) * 1000 },
  async ({ database, kills }) => {
    const begin = performance.now();
    const dice = new Dice(SEED);
    const world = new World(dice);
    const instants = new Instants(dice, database);
    const site = await makeSite({ database });
    await addAlarms(site);
    const laboratory = await Laboratory.open(site, world);

    const settle = async (): Promise<History> => {
      expect(await laboratory.tick(), `seed ${SEED}`).toEqual(QUIET);
      const history = await laboratory.history();
      expect(complaints(history, world), `seed ${SEED}`).toEqual([]);
      return history;
    };

    await settle();
    world.turn();
    let history = await settle();
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
      history = await settle();
    }
    const seconds = (performance.now() - begin) / 1000;
    process.stdout.write(renderFigures(history, { database, seed: SEED, seconds }));
  },
);
