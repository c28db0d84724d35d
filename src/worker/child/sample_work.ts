import { attempt } from "../../text/attempt.ts";

const TASKS = [
  { id: 3, state: " Failed " },
  { id: 1, state: "done" },
  { id: 2, state: "FAILED" },
];

function* each<T>(items: readonly T[]): Generator<T> {
  for (const item of items) yield item;
}

/** A little of what modules do with responses. */
function sampleWork(): string {
  const failed = TASKS.filter(({ state }) => /^\s*fail/i.test(state));
  const byKey = new Map(failed.map(({ id, state }) => [`task:${id}`, state.trim().toLowerCase()]));
  const ids: number[] = [];
  for (const { id } of each(TASKS)) ids.push(id);
  return JSON.stringify([
    [...byKey.keys()].sort().join(),
    Object.entries(Object.fromEntries(byKey)).flat(),
    [byKey.get("task:3"), new Set(ids).has(4), ids.includes(1), ids.indexOf(2), ids.slice(1)],
    [ids.find((id) => id < 3), ids.some((id) => id > 2), ids.every((id) => id > 2)],
    [ids.reduce((sum, id) => sum + id, 0), Math.max(...ids), Number("1.5").toFixed(2)],
    ["a,b".split(","), "task:1".slice(5), "task".startsWith("t"), "a b".replace(" ", "_")],
    [new Date(0).toISOString(), Date.now() > 1e12, typeof URL, JSON.parse('{"a":[1]}')],
  ]);
}

const BEFORE = sampleWork();

/**
 * Whether functions that most modules use still do what they did. A module that replaces one may make the next
 * one find nothing, which nobody would notice where nothing is firing yet.
 */
export function worksAsBefore(): boolean {
  return attempt(() => sampleWork() === BEFORE, false);
}
