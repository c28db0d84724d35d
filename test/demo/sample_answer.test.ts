import { describe, expect, test } from "vitest";
import { answerTasks } from "../../src/demo/sample_answer.ts";
import { sampleTasks } from "../../src/demo/sample_tasks.ts";
import { parsePage } from "../../src/source/paging.ts";
import { isJsonObject, safeJson } from "../../src/text/json.ts";

const NOW = 1_795_000_000;
const TASKS = sampleTasks(1, NOW);

function ask(query: string, now = NOW) {
  return answerTasks(TASKS, new URLSearchParams(query), now);
}

function ids(query: string, now = NOW): readonly number[] {
  const body = safeJson(ask(query, now).body);
  const page = parsePage(body, {}, { style: "keyset" });
  if (!page.ok) throw new Error(page.fault);
  return page.page.items.map(({ jeditaskid }) => Number(jeditaskid));
}

describe("the sample proxy answers as the real one", () => {
  test("pages lead through the whole list, newest first, each task once", () => {
    const first = ids("limit=200");
    const second = ids(`limit=200&before_id=${first.at(-1)}`);
    expect(first).toHaveLength(200);
    expect([...first, ...second]).toEqual(TASKS.map(({ jeditaskid }) => jeditaskid));
    expect(ask(`limit=200&before_id=${first.at(-1)}`).body).toMatchObject({
      has_more: false,
      next_before_id: null,
      total_count: TASKS.length,
    });
  });

  test("the summary counts the whole window, whatever the page", () => {
    const { body } = ask("limit=1");
    expect(body).toMatchObject({ summary: { failed: 1, broken: 1, done: 1 } });
    expect(isJsonObject(body) && Array.isArray(body.items) && body.items).toHaveLength(1);
  });

  test.each([
    ["one status", "status=failed", [90415]],
    ["a status that no task has", "status=paused", []],
    ["a part of the task name", "taskname=calo", [90417]],
    ["an owner by pattern", "username=%25duction&status=done", [90403]],
    ["an owner who has none", "username=nobody", []],
    ["the raw processing type by pattern", "processingtype=epic%25&status=broken", [90406]],
    ["an empty filter is none", "workinggroup=&status=failed", [90415]],
  ])("%s", (_, query, expected) => {
    expect(ids(query)).toEqual(expected);
  });

  test("tasks leave the window with time", () => {
    expect(ids("days=1&status=failed", NOW + 86_000)).toEqual([90415]);
    expect(ids("days=1&status=failed", NOW + 87_000)).toEqual([]);
  });

  test.each([
    ["limit=201", "limit must be <= 200"],
    ["limit=0", "limit must be >= 1"],
    ["days=0", "days must be >= 1"],
    ["days=week", "days must be an integer"],
    ["before_id=x", "before_id must be an integer"],
  ])("%s is refused", (query, error) => {
    expect(ask(query)).toEqual({ status: 400, body: { error } });
  });
});

test("rates are null where nothing has ended, and count files, not jobs", () => {
  const byId = new Map(TASKS.map((task) => [task.jeditaskid, task]));
  expect(byId.get(90406)).toMatchObject({
    computed_failurerate: null,
    computed_finalfailurerate: null,
    computed_progress: null,
  });
  // 96 of 616 files are lost, after three jobs each.
  expect(byId.get(90417)).toMatchObject({
    nfailed: 288,
    nfinished: 520,
    nfinalfailed: 96,
    nfilesfinished: 520,
    computed_failurerate: 0.3564,
    computed_finalfailurerate: 0.1558,
  });
});
