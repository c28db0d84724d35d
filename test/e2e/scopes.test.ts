import { expect, test } from "vitest";
import { docExample } from "../support/doc_examples.ts";
import { json } from "../support/http_server.ts";
import { makeSite, type Site } from "../support/site.ts";

const SLOW = 120_000;

const REPORTING = docExample("scopes");
const SILENT = REPORTING.replace(/yield .*does not answer.*\n/, "");

/** A site of three hosts, of which each has one full disk. */
async function disksSite(module: string) {
  const site = await makeSite();
  site.module("full_disks.ts", module);
  const disks: { [host: string]: readonly string[] | undefined } = {
    "/hosts/a/full/": ["sda"],
    "/hosts/a2/full/": ["sda"],
    "/hosts/b/full/": ["sdb"],
  };
  site.source.answer = (_request, response, url) => {
    if (url.pathname === "/hosts/") return json(response, ["a", "a2", "b"]);
    const found = disks[url.pathname];
    json(response, found ?? { error: "gateway timeout" }, found === undefined ? 504 : 200);
  };
  expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
  expect(await firing(site)).toEqual(["host:a2:sda", "host:a:sda", "host:b:sdb"]);
  return { site, disks };
}

async function firing(site: Site): Promise<readonly string[]> {
  return (await site.entries("event"))
    .flatMap(({ data }) => (data.clear_time === null ? [String(data.dedupe_key)] : []))
    .toSorted();
}

async function record(site: Site): Promise<unknown> {
  const run = (await site.entries("engine_run")).at(-1);
  return Object(run?.data.per_alarm).alarm_full_disks;
}

const FAILED = "GET /hosts/a/full/ from main: ";

test("a host that does not answer keeps its own events, and those of the others clear", {
  timeout: SLOW,
}, async () => {
  const { site, disks } = await disksSite(REPORTING);
  disks["/hosts/a/full/"] = undefined;
  disks["/hosts/a2/full/"] = [];
  disks["/hosts/b/full/"] = [];
  const result = await site.tick("-v");
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout).toMatch(
    /full_disks: complete: 1 detected, 1 new, 0 still firing, 2 cleared, 1 kept.*\n.* {5}GET \/hosts\/a\/full\/ from main: .*504.*; events whose keys begin with "host:a:" stay as they are\n/,
  );
  expect(await firing(site)).toEqual(["host:a:down", "host:a:sda"]);
  expect(await record(site)).toMatchObject({
    outcome: "complete",
    errors: 0,
    kept: 1,
    scopes: [{ prefix: "host:a:", reason: expect.stringContaining(FAILED), reported: true }],
  });

  const why = await site.command(["why", "full_disks", "host:a:sda"]);
  expect(why.stdout).toMatch(
    /^why {10}not detected since .*, but the last tick, at .*, did not look at it: GET \/hosts\/a\/full\/ from main: .*504/m,
  );
  const whyNot = await site.command(["why-not", "full_disks", "host:a:sda"]);
  expect(whyNot.stdout).toMatch(
    /^host:a:sda of full_disks: not detected now.*, but not looked at: keys that begin with "host:a:"\n/,
  );
  expect(whyNot.stdout).toMatch(
    /^a tick now {3}would keep its event, which is not detected: not looked at: GET \/hosts\/a\/full\/ /m,
  );
  const facts: unknown = JSON.parse((await site.command(["run", "--plan", "--json"])).stdout);
  expect(facts).toMatchObject({
    alarms: [
      {
        alarm: "full_disks",
        outcome: "complete",
        reasons: [],
        scopes: [{ prefix: "host:a:", reported: true }],
        keep: [{ key: "host:a:sda", reason: expect.stringContaining(`not looked at: ${FAILED}`) }],
      },
    ],
  });

  // It answers again.
  disks["/hosts/a/full/"] = [];
  expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
  expect(await firing(site)).toEqual([]);
  expect(await record(site)).not.toHaveProperty("scopes");
});

test("of a host about which the module says nothing, the failure is an error of the alarm", {
  timeout: SLOW,
}, async () => {
  const { site, disks } = await disksSite(SILENT);
  disks["/hosts/a/full/"] = undefined;
  disks["/hosts/b/full/"] = [];
  const result = await site.tick();
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(
    /full_disks: GET \/hosts\/a\/full\/ from main: .*504.*; events whose keys begin with "host:a:" stay as they are; this is an error because the module detected and cleared nothing there/,
  );
  expect(await firing(site)).toEqual(["host:a2:sda", "host:a:sda"]);
  expect(await record(site)).toMatchObject({
    outcome: "complete",
    errors: 1,
    scopes: [{ prefix: "host:a:", reported: false }],
  });
});

test.for([
  [
    "an empty prefix",
    'client.incomplete("no list", "")',
    'no list; the prefix "" is not the beginning',
  ],
  ["a number", 'client.incomplete("no list", 5)', "no list; the prefix 5 is not the beginning"],
  ["null", 'client.incomplete("no list", null)', "no list; the prefix null is not the beginning"],
] as const)("a wrong prefix keeps all events: %s", { timeout: SLOW }, async ([, call, error]) => {
  const { site } = await disksSite(SILENT);
  site.module("full_disks.ts", `export function* detect(client) { ${call}; }`);
  const result = await site.tick();
  expect(result.code).toBe(1);
  expect(result.stderr).toContain(error);
  expect(await firing(site)).toHaveLength(3);
});
