import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { QUIET } from "../support/quiet.ts";
import { makeSite, type Site } from "../support/site.ts";
import { KILLS, killTicks, SEED, TIMEOUT } from "./campaign.ts";
import { Dice } from "./dice.ts";
import { processesGone, startVictim } from "./victim.ts";

/** Seconds for the making of a database, before one was seen. */
const FIRST_GUESS = 4;

test(`${KILLS.making} kills while the database is made, ${KILLS.embedded} at any instant after that: nothing lost, nothing half made, nothing left behind`, {
  timeout: TIMEOUT,
}, async () => {
  const site = await makeSite({ database: "embedded", bare: true });
  await killMaking(site, KILLS.making);
  await killTicks(site, KILLS.embedded, []);
});

/** Kills first ticks while they make the database; the tick after each of them makes it. */
async function killMaking(site: Site, kills: number): Promise<void> {
  const dice = new Dice(SEED);
  let seconds = FIRST_GUESS;
  for (let killed = 0; killed < kills; ) {
    rmSync(join(site.folder, "state"), { recursive: true, force: true });
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
  }
}
