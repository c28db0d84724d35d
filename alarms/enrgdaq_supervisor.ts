import {
  type AlarmClient,
  type Clear,
  type Detection,
  type ParamSpecs,
  type ParamsOf,
  type Scalar,
  Track,
} from "swf-alarms";
import { clientScope, daqKey, daqName, daqParts, parseClients } from "./lib/enrgdaq.ts";
import { sampleHeartbeats, silenceOf } from "./lib/enrgdaq_ask.ts";
import { forgotten, judgeContact, judgeGone } from "./lib/enrgdaq_clients.ts";
import { sampleJobs } from "./lib/enrgdaq_jobs.ts";
import { type JobLimits, judgeJobs } from "./lib/enrgdaq_judge.ts";
import { judgeKinds } from "./lib/enrgdaq_kinds.ts";
import { type Known, knownFrom } from "./lib/enrgdaq_known.ts";
import {
  describeErrors,
  errorsIn,
  type LogLine,
  parseLogMemory,
  readLog,
} from "./lib/enrgdaq_logs.ts";
import { type Look, lookAt } from "./lib/enrgdaq_look.ts";
import { objectOf } from "./lib/fields.ts";

export const TITLE = "ENRGDAQ: clients and jobs";

export const DESCRIPTION =
  "A client of the data acquisition is gone or silent, or one of its jobs is missing, restarts again and again, has stalled, " +
  "logs errors or needs too much memory.";

export const SOURCES = ["enrgdaq"];

export const PARAMS = {
  silent_seconds: {
    type: "number",
    default: 60,
    min: 5,
    description: "report a client whose heartbeat time has not changed for this long",
  },
  window_minutes: {
    type: "number",
    default: 20,
    min: 0.1,
    description:
      "count restarts, messages and errors in this time before now; at least three ticks",
  },
  restarts: {
    type: "integer",
    default: 3,
    min: 1,
    description: "report a job that restarts this often in the window",
  },
  out_per_second: {
    type: "number",
    default: 0.5,
    min: 0,
    description: "report a job that sends fewer messages; its own heartbeats are 1 to 2 per second",
  },
  rss_mb: {
    type: "number",
    default: 1000,
    min: 1,
    description: "report a job that has more MiB of memory",
  },
  log_errors: {
    type: "integer",
    default: 1,
    min: 1,
    description: "report a client that logs this many errors in the window",
  },
  jobs: {
    type: "table",
    default: [],
    description: "other limits for some jobs; a column without a value leaves the general limit",
    columns: {
      job: {
        type: "string",
        required: true,
        description: "its type: DAQJobTest; remote_custom/DAQJobTest if it was started by hand",
      },
      client: { type: "string", description: "only of this client" },
      restarts: { type: "integer", min: 1, description: "as above" },
      out_per_second: { type: "number", min: 0, description: "as above" },
      in_per_second: {
        type: "number",
        min: 0,
        description: "report that it receives fewer messages",
      },
      rss_mb: { type: "number", min: 1, description: "as above" },
    },
  },
  required_jobs: {
    type: "list",
    default: ["DAQJobStore", "DAQJobAlert"],
    description: "report that no client runs a job whose type begins with this",
  },
  expected_clients: {
    type: "list",
    default: [],
    description: "report these if they are not listed, even if they never were",
  },
  ignore_clients: {
    type: "list",
    default: [],
    description: "do not look at these: the service lists a client for ever",
  },
  forget_hours: {
    type: "number",
    default: 24,
    min: 0.1,
    description: "stop expecting a job or client that has not been there for this long",
  },
} as const satisfies ParamSpecs;

type Params = ParamsOf<typeof PARAMS>;

export async function* detect(
  client: AlarmClient,
  params: Params,
): AsyncGenerator<Detection | Clear> {
  const { now } = client;
  const window = params.window_minutes * 60;
  const listed = parseClients(await client.source("enrgdaq").get("clients")).filter(
    ({ id }) => !params.ignore_clients.includes(id),
  );
  const previous = await client.previous();
  const before = objectOf(previous?.value);
  const options = { now, keep: window, forget: params.forget_hours * 3600 };
  const silentFor = silenceOf(before?.track, listed, now);
  const looks = await Promise.all(
    listed.map((each) => lookAt(client, each, silentFor(each.id), params.silent_seconds)),
  );

  const logs = new Map(
    looks.map(({ id, lines }) => {
      const remembered = parseLogMemory(objectOf(before?.logs)?.[id]);
      return [id, readLog(lines, remembered, before === null)] as const;
    }),
  );
  const unknown = new Set(looks.flatMap(({ id, status }) => (status.kind === "answer" ? [] : id)));
  const samples = new Map<string, Scalar>([
    ...sampleHeartbeats(listed),
    ...looks.flatMap(({ id, status }) =>
      status.kind === "answer"
        ? sampleJobs(
            id,
            status.value,
            (name) => limitsOf(params, id, name).in_per_second !== undefined,
          )
        : [],
    ),
    ...[...logs].map(([id, { memory }]) => [daqKey("errors", id), memory.errors] as const),
  ]);
  // What went while no tick looked is reported once before it is forgotten.
  const isGap = now - (previous?.at ?? now) > options.forget;
  const track = new Track(before?.track, samples, {
    ...options,
    unknown: (key) => isGap || unknown.has(daqParts(key)[1] ?? ""),
  });
  client.remember({
    track: track.memory,
    logs: Object.fromEntries([...logs].map(([id, { memory }]) => [id, memory])),
  });
  for (const text of track.lost()) client.note(text);
  if (previous !== undefined && now - previous.at > window)
    client.note(
      `the tick before was ${Math.round((now - previous.at) / 60)} min ago, longer than window_minutes: restarts and rates are not known`,
    );

  const known = knownFrom(track.memory);
  const firing = await client.firing();
  for (const look of looks) {
    const { id, status } = look;
    yield* judgeContact(look);
    if (status.kind === "answer")
      yield* judgeJobs({
        id,
        status: status.value,
        track,
        known: known.jobs.get(id) ?? new Map(),
        limitsOf: (name) => limitsOf(params, id, name),
        now,
        window,
      });
    yield* judgeLog(look, logs.get(id)?.fresh ?? [], { track, firing, params });
    noteShared(client, look);
  }
  yield* judgeGone(client, looks, known, params);
  yield* judgeKinds(firing, looks, known, params.required_jobs);
  if (unknown.size === 0) noteUnusedRows(client, known, params);
  yield* forgotten(firing, knownFrom(before?.track), known, looks, params);
}

function* judgeLog(
  { id, lines }: Look,
  fresh: readonly LogLine[],
  {
    track,
    firing,
    params: { window_minutes, log_errors },
  }: { readonly track: Track; readonly firing: readonly string[]; readonly params: Params },
): Generator<Detection | Clear> {
  const dedupeKey = `${clientScope(id)}errors`;
  // The ticks may be further apart than the window is long.
  const count = Math.max(track.growth(daqKey("errors", id)) ?? 0, fresh.length);
  if (count < log_errors) {
    const clear = `${count} errors in the last ${window_minutes} min`;
    if (firing.includes(dedupeKey)) yield { dedupeKey, clear, ifGone: true };
    return;
  }
  const shown = fresh.length > 0 ? fresh : errorsIn(lines ?? []).slice(-count);
  yield {
    dedupeKey,
    subject: `${daqName(id)} logged ${count === 1 ? "an error" : `${count} errors`} in ${window_minutes} min`,
    body: describeErrors(shown),
    severity: "warning",
    data: { metric: String(count), client: id },
  };
}

function limitsOf({ jobs, ...general }: Params, id: string, name: string): JobLimits {
  const rows = jobs.filter(({ job, client }) => job === name && (client ?? id) === id);
  // That of the client before that of all.
  const own = [...rows.filter(({ client }) => client !== undefined), ...rows];
  const first = <K extends keyof JobLimits>(key: K) =>
    own.find((row) => row[key] !== undefined)?.[key];
  return {
    restarts: first("restarts") ?? general.restarts,
    out_per_second: first("out_per_second") ?? general.out_per_second,
    in_per_second: first("in_per_second"),
    rss_mb: first("rss_mb") ?? general.rss_mb,
  };
}

function noteShared(client: AlarmClient, { id, status }: Look): void {
  if (status.kind !== "answer") return;
  const types = status.value.jobs.map(({ type, supervisor }) => daqKey(supervisor, type));
  const shared = new Set(types.filter((type, place) => types.indexOf(type) !== place));
  for (const key of shared)
    client.note(
      `${daqName(id)} runs several ${daqName(daqParts(key)[1] ?? "")}, which share one row of counts: their messages and memory are not judged`,
    );
}

/** A row for a job that is nowhere has a typing error. */
function noteUnusedRows(client: AlarmClient, known: Known, { jobs }: Params): void {
  for (const [index, { job, client: id }] of jobs.entries()) {
    const has = [...known.jobs].some(([each, names]) => (id ?? each) === each && names.has(job));
    if (!has)
      client.note(
        `jobs[${index}] is not used: no job ${daqName(job)} is known${id === undefined ? "" : ` of ${daqName(id)}`}`,
      );
  }
}
