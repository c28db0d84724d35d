import { expect, test } from "vitest";
import { docExample } from "../support/doc_examples.ts";
import { json } from "../support/http_server.ts";
import { makeSite } from "../support/site.ts";

const QUIET = { code: 0, stderr: "" };
const SLOW = 120_000;

/** What fires, it logs with the data of the detection. */
const GROWING = docExample("memory")
  .replace("` };", "`, data: { known } };")
  .replace(
    /}\s*$/,
    `  for (const { dedupeKey, data } of await client.firingEvents())
    client.log(dedupeKey + " fires since it had " + data.known);
}`,
  );

test.for(["postgres", "embedded"] as const)(
  "on %s a module compares with what it saw in the tick before, over ticks that are processes of their own",
  { timeout: SLOW },
  async (database) => {
    const site = await makeSite({ database });
    site.module("growing_queues.ts", GROWING);
    let queues: object = { a: 5, b: 5, "\0\ud800": 1 };
    let status = 200;
    site.source.answer = (_request, response) => json(response, queues, status);
    const firing = async (): Promise<readonly string[]> =>
      (await site.entries("event"))
        .flatMap(({ title, data }) => (data.clear_time === null ? [title] : []))
        .toSorted();

    expect(await site.tick()).toMatchObject(QUIET);
    expect(await firing()).toEqual([]);

    queues = { a: 107, b: 5, "\0\ud800": 102 };
    for (const command of [
      ["alarm", "try", "growing_queues"],
      ["run", "--plan"],
    ])
      expect((await site.command(command)).stdout).toContain("a grew from 5 to 107");
    expect(await site.tick()).toMatchObject(QUIET);
    expect(await firing()).toEqual(["a grew from 5 to 107", "\ufffd\ufffd grew from 1 to 102"]);

    status = 404;
    expect((await site.tick()).code).toBe(1);
    status = 200;

    queues = { a: 107, b: 106 };
    expect(await site.tick()).toMatchObject(QUIET);
    expect(await firing()).toEqual(["b grew from 5 to 106"]);
    expect(site.log()).toContain("growing_queues: queue:a fires since it had 5");

    const [memory, ...others] = await site.entries("alarm_memory");
    expect(others).toEqual([]);
    expect(memory?.data).toMatchObject({ alarm: "growing_queues", value: '{"a":107,"b":106}' });
    const shown = await site.command(["alarm", "show", "growing_queues"]);
    expect(shown.stdout).toMatch(
      /^memory {7}17 bytes, remembered at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/m,
    );
  },
);
