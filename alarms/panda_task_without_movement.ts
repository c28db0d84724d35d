import { type AlarmClient, type ParamSpecs, type ParamsOf, parseUtc } from "swf-alarms";

export const TITLE = "PanDA tasks without movement";

export const DESCRIPTION = "A PanDA task has not changed for a long time. Retry it or abort it.";

export const PARAMS = {
  max_hours: {
    type: "number",
    required: true,
    min: 1,
    description: "report tasks that have not changed for at least this many hours",
  },
  status: { type: "string", default: "exhausted", description: "task status to check" },
} as const satisfies ParamSpecs;

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  // PanDA does not list unfinished tasks older than 60 days.
  const query = { status: params.status, days: 60 };
  for await (const task of client.pages("/api/panda/tasks/", query)) {
    const changed = parseUtc(task.modificationtime);
    if (changed === undefined) {
      client.incomplete(`task ${task.jeditaskid} has no readable modificationtime`);
      continue;
    }
    const hours = (client.now - changed) / 3600;
    if (hours < params.max_hours) continue;
    const metric = `${Math.floor(hours)} h`;
    yield {
      dedupeKey: `task:${task.jeditaskid}`,
      subject: `task ${task.jeditaskid} (${task.status}) has not changed for ${metric}: ${task.taskname}`,
      body: `Owner: ${task.username}\nLast change: ${task.modificationtime} UTC`,
      data: { metric, jeditaskid: task.jeditaskid, status: task.status },
    };
  }
}
