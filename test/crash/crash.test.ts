import { test } from "vitest";
import { makeSite } from "../support/site.ts";
import { KILLS, killTicks, TIMEOUT } from "./campaign.ts";

test(`${KILLS.postgres} kills at any instant: nothing lost, nothing half made, nothing left behind`, {
  timeout: TIMEOUT,
}, async () => {
  await killTicks(await makeSite(), KILLS.postgres, ["operators@example.org"]);
});
