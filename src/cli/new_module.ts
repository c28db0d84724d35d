/** What `alarm new` writes: a module that works, and its test. */

/** For the main service, or for a source where there is no main service. */
export function moduleText(name: string, source: string | undefined): string {
  return source === undefined ? tasksModule(name) : sourceModule(name, source);
}

export function testText(name: string, source: string | undefined): string {
  return source === undefined ? tasksTest(name) : sourceTest(name, source);
}

/** `task_without_owner` → `Task without owner` */
function titleOf(name: string): string {
  const words = name.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function tasksModule(name: string): string {
  return `import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";

export const TITLE = "${titleOf(name)}";

export const DESCRIPTION = "A PanDA task has the status that this alarm looks for.";

export const PARAMS = {
  status: { type: "string", default: "exhausted", description: "report tasks with this status" },
  days: { type: "integer", default: 7, min: 1, description: "look at tasks of so many days" },
} as const satisfies ParamSpecs;

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const query = { status: params.status, days: params.days };
  for await (const task of client.pages("/api/panda/tasks/", query)) {
    // What cannot be read must not look as if it had ended: nothing clears in this tick.
    if (task.jeditaskid === undefined) {
      client.incomplete("a task has no jeditaskid");
      continue;
    }
    yield {
      dedupeKey: \`task:\${task.jeditaskid}\`,
      subject: \`task \${task.jeditaskid} is \${task.status}: \${task.taskname}\`,
      body: \`Owner: \${task.username}\`,
      data: { jeditaskid: task.jeditaskid, status: task.status },
    };
  }
}
`;
}

function tasksTest(name: string): string {
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { testAlarm } from "swf-alarms/testing";

const ALARM = new URL("./${name}.ts", import.meta.url);
const page = (...items) => ({ items, has_more: false, next_before_id: null });

test("a task with the status is detected", async () => {
  const task = { jeditaskid: 1, status: "exhausted", taskname: "one", username: "ana" };
  const { reasons, detections } = await testAlarm(ALARM, {
    params: { status: "exhausted" },
    responses: { "/api/panda/tasks/": page(task) },
  });
  assert.deepEqual(reasons, []);
  assert.deepEqual(detections.map(({ subject }) => subject), ["task 1 is exhausted: one"]);
});

test("a task that cannot be read is not overlooked", async () => {
  const { status, reasons } = await testAlarm(ALARM, {
    responses: { "/api/panda/tasks/": page({ status: "exhausted" }) },
  });
  assert.equal(status, "partial");
  assert.deepEqual(reasons, ["a task has no jeditaskid"]);
});
`;
}

function sourceModule(name: string, source: string): string {
  return `import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";

export const TITLE = "${titleOf(name)}";

export const DESCRIPTION = "A path of ${source} does not answer.";

export const SOURCES = ["${source}"];

export const PARAMS = {
  path: { type: "string", default: "/", description: "request this path" },
} as const satisfies ParamSpecs;

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const dedupeKey = \`path:\${params.path}\`;
  // The failure is what this alarm is about, so that it leaves no other question open.
  const answer = await client.source("${source}").request(params.path, { as: "text", scope: dedupeKey });
  if (answer.ok) return;
  yield {
    dedupeKey,
    subject: \`\${params.path} of ${source} does not answer\`,
    body: answer.reason,
    data: { kind: answer.kind, status: answer.status ?? null },
  };
}
`;
}

function sourceTest(name: string, source: string): string {
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { testAlarm } from "swf-alarms/testing";

const ALARM = new URL("./${name}.ts", import.meta.url);
const keys = ({ detections }) => detections.map(({ dedupeKey }) => dedupeKey);

test("a path that answers is fine", async () => {
  const responses = { "${source}": { "/health": {} } };
  const outcome = await testAlarm(ALARM, { params: { path: "/health" }, responses });
  assert.deepEqual(outcome.reasons, []);
  assert.deepEqual(keys(outcome), []);
});

test("a path that does not is detected", async () => {
  const responses = { "${source}": { "/health": { status: 503 } } };
  const outcome = await testAlarm(ALARM, { params: { path: "/health" }, responses });
  assert.deepEqual(keys(outcome), ["path:/health"]);
});
`;
}
