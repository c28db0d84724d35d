import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { readSources } from "../../src/source/registry.ts";
import { BARE } from "../support/login.ts";

function parse(settings: string) {
  return parseConfig(`[sources.events]\nkind = "spool"\n${settings}`, BARE);
}

test("a spool is a folder, and nothing is read of it until it is asked", () => {
  const parsed = parse('path = "/no/such/folder"\nsilent_after = 600');
  if (!parsed.ok) throw new Error(parsed.faults.join("\n"));
  const facts = { name: "events", timeout: 20, maxConnections: 4 };
  const more = { signal: new AbortController().signal, memory: { left: 0 } };
  const source = readSources(parsed.config.sources)
    .get("events")
    ?.open({ ...facts, ...more });
  expect(source).toMatchObject({ kind: "spool", counts: { requests: 0, succeeded: 0 } });
});

test.each([
  ["no folder", "", "sources.events.path: missing"],
  [
    "a folder that depends on where the engine starts",
    'path = "spool"',
    'sources.events.path: must be the absolute path of a folder, such as "/var/spool/swf-alarms"; found "spool"',
  ],
  [
    "no time at all",
    'path = "/spool"\nsilent_after = 0',
    "sources.events.silent_after: must be a number of seconds from 1 to 86400, such as 180; found 0",
  ],
  [
    "an address",
    'path = "/spool"\nbase_url = "http://h"',
    'sources.events.base_url: belongs to kind "http" or "xmlrpc", found with "spool"; remove one',
  ],
])("%s is a fault", (_, settings, fault) => {
  expect(parse(settings)).toMatchObject({ ok: false, faults: [expect.stringContaining(fault)] });
});
