import { expect, test } from "vitest";
import { json } from "../support/http_server.ts";
import { makeSite } from "../support/site.ts";

const QUIET = { code: 0, stderr: "" };
const SLOW = 120_000;

/** As an author would write it. */
const RISING = `
export const TITLE = "Queues that grow";
export async function* detect(client) {
  const queues = await client.get("/queues/");
  const before = (await client.previous())?.value ?? {};
  client.remember(queues);
  for (const [name, length] of Object.entries(queues)) {
    const known = before[name];
    if (known !== undefined && length > known)
      yield { dedupeKey: name, subject: name + " grew from " + known + " to " + length, data: { known } };
  }
  for (const { dedupeKey, data } of await client.firingEvents())
    client.log(dedupeKey + " fires since it had " + data.known);
}`;

test.for(["postgres", "embedded"] as const)(
  "on %s a module compares with what it saw in the tick before, over ticks that are processes of their own",
  { timeout: SLOW },
  async (database) => {
    const site = await makeSite({ database });
    site.module("rising.js", RISING);
    let queues: object = { a: 5, b: 5, "\0\ud800": 1 };
    let status = 200;
    site.source.answer = (_request, response) => json(response, queues, status);
    const firing = async (): Promise<readonly string[]> =>
      (await site.entries("event"))
        .flatMap(({ title, data }) => (data.clear_time === null ? [title] : []))
        .toSorted();

    expect(await site.tick()).toMatchObject(QUIET);
    expect(await firing()).toEqual([]);

    queues = { a: 7, b: 5, "\0\ud800": 2 };
    for (const command of [
      ["alarm", "try", "rising"],
      ["run", "--plan"],
    ])
      expect((await site.command(command)).stdout).toContain("a grew from 5 to 7");
    expect(await site.tick()).toMatchObject(QUIET);
    expect(await firing()).toEqual(["a grew from 5 to 7", "\ufffd\ufffd grew from 1 to 2"]);

    status = 404;
    expect((await site.tick()).code).toBe(1);
    status = 200;

    queues = { a: 7, b: 6 };
    expect(await site.tick()).toMatchObject(QUIET);
    expect(await firing()).toEqual(["b grew from 5 to 6"]);
    expect(site.log()).toContain("rising: a fires since it had 5");

    const [memory, ...others] = await site.entries("alarm_memory");
    expect(others).toEqual([]);
    expect(memory?.data).toMatchObject({ alarm: "rising", value: '{"a":7,"b":6}' });
    const shown = await site.command(["alarm", "show", "rising"]);
    expect(shown.stdout).toMatch(/^memory {7}13 bytes, of \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m);
  },
);
