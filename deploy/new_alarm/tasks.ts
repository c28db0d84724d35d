import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";

export const TITLE = "__TITLE__";

export const DESCRIPTION = "A PanDA task has the status that this alarm looks for.";

export const PARAMS = {
  status: { type: "string", default: "exhausted", description: "report tasks with this status" },
  days: { type: "integer", default: 7, min: 1, description: "look at the tasks of this many days" },
} as const satisfies ParamSpecs;

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const query = { status: params.status, days: params.days };
  for await (const task of client.pages("/api/panda/tasks/", query)) {
    // Its event must not clear because it could not be read: nothing clears in this tick.
    if (task.jeditaskid === undefined) {
      client.incomplete("a task has no jeditaskid");
      continue;
    }
    yield {
      dedupeKey: `task:${task.jeditaskid}`,
      subject: `task ${task.jeditaskid} is ${task.status}: ${task.taskname}`,
      body: `Owner: ${task.username}`,
      data: { jeditaskid: task.jeditaskid, status: task.status },
    };
  }
}
