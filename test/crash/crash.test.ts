import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { QUIET } from "../support/quiet.ts";
import { makeSite } from "../support/site.ts";
import { Dice } from "./dice.ts";
import { renderFigures } from "./figures.ts";
import type { History } from "./history.ts";
import { Instants } from "./instants.ts";
import { Laboratory } from "./laboratory.ts";
import { complaints } from "./verdict.ts";
import { processesGone, startVictim } from "./victim.ts";
import { addAlarms, World } from "./world.ts";

/** Kills in all; SWF_ALARMS_CRASH_KILLS=200 is the long form. */
const KILLS = Number(process.env.SWF_ALARMS_CRASH_KILLS ?? 25);
/** What the dice start with: printed, so that the same throws can be had again. */
const SEED = Number(process.env.SWF_ALARMS_CRASH_SEED ?? randomInt(1_000_000));
/** The making of a database takes long: a few kills are enough for it. */
const AT_MAKING = Math.ceil(KILLS / 25);
/** Ticks on the embedded database take longer than on the other. */
const ON_EMBEDDED = Math.floor((KILLS - AT_MAKING) * 0.4);

/** Seconds for one kill and what follows it, on a machine that is busy with other things. */
const PATIENCE = 60;
/** Seconds for the making of a database, before one was seen. */
const FIRST_GUESS = 4;
const timeout = (120 + KILLS * PATIENCE) * 1000;

/** So often a moment that does not come is waited for. */
const TRIES = 3;
/** The share of killed ticks that are followed by another one. */
const ANOTHER = 0.5;

test.for([
  { database: "postgres", kills: KILLS - AT_MAKING - ON_EMBEDDED },
  { database: "embedded", kills: ON_EMBEDDED },
] as const)(
  "$kills kills at any instant on $database: nothing lost, nothing half made, nothing left behind",
  { timeout },
  async ({ database, kills }) => {
    const begin = performance.now();
    const dice = new Dice(SEED);
    const world = new World(dice);
    const instants = new Instants(dice, database);
    const site = await makeSite({ database });
    await addAlarms(site);
    const laboratory = await Laboratory.open(site, world);

    const settle = async (): Promise<void> => {
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
  },
);

test("killed while it makes the embedded database: the next tick makes it", {
  timeout,
}, async () => {
  const dice = new Dice(SEED);
  let seconds = FIRST_GUESS;
  for (let killed = 0; killed < AT_MAKING; ) {
    const site = await makeSite({ database: "embedded", bare: true });
    site.module("things.js", "export function* detect() {}");
    const victim = startVictim(site);
    await Promise.race([sleep(dice.fraction() * seconds * 1000), victim.ended]);
    victim.kill();
    const end = await victim.ended;
    if (end.killed) killed += 1;
    const begin = performance.now();
    expect(await site.tick(), `seed ${SEED}`).toEqual(QUIET);
    seconds = Math.max(end.killed ? seconds : end.seconds, (performance.now() - begin) / 1000);
    await processesGone(site);
    expect((await site.entries("engine_run")).at(-1)).toMatchObject({
      status: "done",
      data: { finished_at: expect.any(Number) },
    });
    expect(await site.entries("alarm")).toHaveLength(1);
  }
  process.stdout.write(`crash suite, making of a database: seed ${SEED}, killed ${AT_MAKING}\n`);
});

test("a module that computes without end does not outlive the engine that was killed", async () => {
  const site = await makeSite();
  const sign = join(site.folder, "computing");
  site.module(
    "busy.js",
    `import { writeFileSync } from "node:fs";
     export function* detect() { writeFileSync(${JSON.stringify(sign)}, ""); for (;;) {} }`,
  );
  const victim = startVictim(site);
  while (!existsSync(sign)) await sleep(20);
  victim.kill();
  await victim.ended;
  await processesGone(site);
});
