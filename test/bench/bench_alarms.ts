/** The alarm that most parts measure: as a user writes one, nothing more. */
export const FAILING_TASKS = `import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";

export const TITLE = "Failing tasks";
export const DESCRIPTION = "Tasks of which more input files fail for good than the threshold allows.";
export const PARAMS = {
  threshold: { type: "number", default: 0.1, description: "share of files that may fail" },
} as const satisfies ParamSpecs;

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  for await (const task of client.pages("/api/panda/tasks/", { days: 7 })) {
    const rate = task.computed_finalfailurerate;
    if (typeof rate !== "number" || rate <= params.threshold) continue;
    const metric = \`\${(rate * 100).toFixed(1)}%\`;
    yield {
      dedupeKey: \`task:\${task.jeditaskid}\`,
      subject: \`\${task.taskname} fails: \${metric}\`,
      body: \`\${task.nfinalfailed} files of task \${task.jeditaskid} failed for good at \${task.site}.\`,
      data: { metric, jeditaskid: task.jeditaskid, status: task.status, username: task.username },
    };
  }
}
`;

/** The same over a question of its own, for an alarm of many. */
export function failingTasksOf(group: number): string {
  return FAILING_TASKS.replace("{ days: 7 }", `{ days: 7, reqid: ${group} }`);
}

/** Asks the list and finds all well. */
export const NOTHING_WRONG = FAILING_TASKS.replace(
  "rate <= params.threshold",
  "rate <= 10 * params.threshold",
);

/** Every item of a list of small ones: for a million of them. */
export const SMALL_ITEMS = `import type { AlarmClient } from "swf-alarms";

export async function* detect(client: AlarmClient) {
  for await (const item of client.pages("/small/"))
    yield { dedupeKey: \`item:\${item.id}\`, subject: \`Item \${item.id} fails\`, data: { rate: item.rate } };
}
`;
