import { expect, test } from "vitest";
import { json } from "../support/http_server.ts";
import { makeSite, type Site } from "../support/site.ts";

const MODULE = `
import { follow, leftLookBack } from "swf-alarms";
export const GRAPH = { expectations: [{ name: "file", want: "file", within: 60 }] };
export async function* detect(client) {
  const { now, incomplete: unknown, note } = client;
  const firing = new Set(await client.firing());
  const seen = new Set();
  const id = (run) => run.id;
  const facts = { graph: GRAPH, now, id, start: () => 0, look: (run) => run.file ?? false, unknown, firing, note };
  for await (const run of client.pages("/runs/")) {
    seen.add(run.id);
    yield* follow(facts, run);
  }
  yield* leftLookBack({ firing, seen });
}`;

interface Run {
  readonly id: string;
  readonly file?: unknown;
}

/** The second one has a key that is longer than keys are stored. */
const RUNS: readonly Run[] = Array.from({ length: 12 }, (_, index) => ({
  id: `run:${index}${index === 1 ? "é".repeat(600) : ""}`,
}));

async function runsSite() {
  const site = await makeSite();
  site.module("runs.js", MODULE);
  const list = { items: RUNS, count: RUNS.length };
  site.source.answer = (_request, response) =>
    json(response, { items: list.items, has_more: false, total_count: list.count });
  expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
  expect(await events(site)).toEqual({ firing: 12, ended: [] });
  return { site, list };
}

async function events(site: Site) {
  const rows = (await site.entries("event")).map(({ data }) => data);
  const ended = rows.filter(({ clear_time }) => clear_time !== null);
  return {
    firing: rows.length - ended.length,
    ended: ended.map(({ clear_reason }) => clear_reason),
  };
}

test("what a list leaves out has left the look-back only if the list is whole", {
  timeout: 120_000,
}, async () => {
  const { site, list } = await runsSite();

  list.items = RUNS.slice(0, 5);
  expect(await site.tick()).toMatchObject({ code: 1 });
  expect(await events(site)).toEqual({ firing: 12, ended: [] });

  list.items = RUNS.slice(0, 11);
  list.count = 11;
  expect(await site.tick()).toMatchObject({ code: 0 });
  expect(await events(site)).toEqual({ firing: 11, ended: ["left the look-back"] });

  // Well-formed nonsense: an empty list.
  list.items = [];
  list.count = 0;
  await site.tick();
  expect(await events(site)).toMatchObject({ firing: 11 });
  list.items = RUNS;
  list.count = RUNS.length;
  await site.tick();
  expect(await events(site)).toMatchObject({ firing: 12 });
});

test("an event with a long key is kept and ends as any other", { timeout: 120_000 }, async () => {
  const { site, list } = await runsSite();
  const withFile = (file: unknown) =>
    RUNS.map((run, index) => (index === 1 ? { ...run, file } : run));

  list.items = withFile({ unknown: "504" });
  await site.tick();
  expect(await events(site)).toEqual({ firing: 12, ended: [] });

  list.items = withFile(90);
  await site.tick();
  expect(await events(site)).toEqual({ firing: 11, ended: ["late by 30 s"] });
});
