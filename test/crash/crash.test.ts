import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "vitest";
import { makeSite } from "../support/site.ts";
import { KILLS, killTicks, TIMEOUT } from "./campaign.ts";
import { processesGone, startVictim } from "./victim.ts";

test(`${KILLS.postgres} kills at any instant: nothing lost, nothing half made, nothing left behind`, {
  timeout: TIMEOUT,
}, async () => {
  await killTicks(await makeSite(), KILLS.postgres);
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
