import {
  type AlarmClient,
  type Clear,
  type Detection,
  type ParamSpecs,
  type ParamsOf,
  type Scalar,
  Track,
} from "swf-alarms";
import { clientScope, type DaqStatus, daqName, daqParts, parseClients } from "./lib/enrgdaq.ts";
import { askStatus, sampleHeartbeats, silenceOf } from "./lib/enrgdaq_ask.ts";
import {
  judgeRule,
  knownKey,
  ruleKey,
  type Sight,
  type Statuses,
  sampleRule,
  sightOf,
} from "./lib/enrgdaq_healthcheck.ts";
import { parseRules, type Rule, STATS_KEYS } from "./lib/enrgdaq_rule.ts";
import { objectOf, show } from "./lib/fields.ts";

export const TITLE = "ENRGDAQ: rules of the healthcheck";

export const DESCRIPTION =
  "A rule about a job of the data acquisition is broken. The rules are those of ENRGDAQ's DAQJobHealthcheck.";

export const SOURCES = ["enrgdaq"];

export const PARAMS = {
  rules: {
    type: "table",
    required: true,
    description: "report each of these, for each client that has such a job",
    columns: {
      daq_job_type: {
        type: "string",
        required: true,
        description: "of these jobs: DAQJobTest; or * for all",
      },
      client: {
        type: "string",
        description: "only of this client, even if it has no such job; or remote_custom",
      },
      stats_key: {
        type: "string",
        required: true,
        choices: STATS_KEYS,
        description: "what is looked at: the count of messages or of those in a queue; restarts",
      },
      interval: {
        type: "string",
        description: '"30s", "5m" or "1h": satisfied if it changed in this time',
      },
      amount: {
        type: "integer",
        min: 0,
        description: "instead of interval: satisfied if it has reached this",
      },
      alert_if_interval_is: {
        type: "string",
        required: true,
        choices: ["satisfied", "unsatisfied"],
        description: "when to report: unsatisfied for silence, satisfied for restarts",
      },
      message: { type: "string", required: true, description: "what to say" },
      severity: {
        type: "string",
        default: "error",
        choices: ["info", "warning", "error", "critical"],
        description: "how bad it is",
      },
    },
  },
} as const satisfies ParamSpecs;

/** Seconds without a heartbeat after which a client is not asked; there is one a second. */
const SILENT = 60;

/** Seconds after which a job that is not there any more is not expected any more. */
const FORGET = 24 * 3600;

/** A rule for one client. */
interface Check {
  readonly rule: Rule;
  readonly id: string;
  readonly key: string;
  readonly sight: Sight;
}

export async function* detect(
  client: AlarmClient,
  { rules: rows }: ParamsOf<typeof PARAMS>,
): AsyncGenerator<Detection | Clear> {
  const { now } = client;
  const rules = parseRules(rows);
  const daq = client.source("enrgdaq");
  const clients = parseClients(await daq.get("clients"));
  const memory = objectOf((await client.previous())?.value);
  const silentFor = silenceOf(memory, clients, now);
  const answers = await Promise.all(
    clients.map(async ({ id }) => [id, await askStatus(daq, id, silentFor(id) >= SILENT)] as const),
  );
  const listed = clients.map(({ id }) => id);
  const statuses = new Map(
    answers.flatMap(([id, answer]): [string, DaqStatus][] =>
      answer.kind === "answer" ? [[id, answer.value]] : [],
    ),
  );
  const before = new Set(Object.keys(objectOf(memory?.keys) ?? {}));
  const checksByRule = rules.map((rule) =>
    typesOf(rule, statuses, before).flatMap((type) =>
      checksOf({ ...rule, type }, listed, statuses, before),
    ),
  );
  const checks = checksByRule.flat();
  const samples = checks.flatMap(({ rule, key, sight }) => sampleRule(rule, key, sight));
  // Of a client that is not listed any more, nothing is expected after a day.
  const unknown = new Set(
    checks
      .filter(({ id, sight }) => sight.kind === "unknown" && listed.includes(id))
      .flatMap(({ key }) => [key, knownKey(key)]),
  );
  const all = new Map<string, Scalar>([...sampleHeartbeats(clients), ...samples]);
  const track = new Track(memory, all, {
    now,
    // Only the latest values count.
    keep: 1,
    forget: FORGET,
    unknown: (key) => unknown.has(key),
  });
  client.remember(track.memory);
  for (const text of track.lost()) client.note(text);
  for (const [index, rule] of rules.entries())
    if (checksByRule[index]?.length === 0)
      client.note(
        `rules[${index}] is not used: no client has ${rule.type === "*" ? "a job" : `a ${daqName(rule.type)}`}`,
      );

  const reported = new Set<string>();
  for (const check of checks) {
    const { rule, id, key, sight } = check;
    const isBroken = judgeRule(rule, key, sight, track, now);
    if (isBroken === undefined && !listed.includes(id))
      client.incomplete(`nothing is known of ${daqName(rule.type)} of ${daqName(id)}`, key);
    if (isBroken !== true) continue;
    reported.add(id);
    yield describe(check, track.since(key) ?? now);
  }
  for (const [id, answer] of answers)
    if (answer.kind === "no answer" && !reported.has(id))
      yield {
        dedupeKey: `${clientScope(id)}contact`,
        subject: `${daqName(id)} does not answer, so its rules cannot be checked: ${show(answer.reason)}`,
        severity: "warning",
      };
  const forgotten = [...before].filter((key) => track.since(key) === undefined);
  for (const dedupeKey of await client.firing())
    if (forgotten.includes(dedupeKey))
      yield { dedupeKey, clear: "the job has not been there for 24 h: not expected any more" };
}

/** The checks of a rule: one for each client that has such a job, or had one until lately. */
function checksOf(
  rule: Rule,
  listed: readonly string[],
  statuses: Statuses,
  before: ReadonlySet<string>,
): readonly Check[] {
  const gone = [...before].flatMap((key) => {
    const [, id = ""] = daqParts(key);
    return key === ruleKey(rule, id) ? id : [];
  });
  const ids = rule.client === undefined ? new Set([...listed, ...gone]) : [rule.client];
  const checks = [...ids].map((id) => {
    const sight = sightOf(rule, id, statuses);
    return { rule, id, key: ruleKey(rule, id), sight };
  });
  return checks.filter(
    ({ key, sight: { kind } }) =>
      rule.client !== undefined || kind === "value" || kind === "no value" || before.has(key),
  );
}

/** The types of jobs that a rule is for. */
function typesOf(rule: Rule, statuses: Statuses, before: ReadonlySet<string>): readonly string[] {
  if (rule.type !== "*") return [rule.type];
  const isFor = (id: string) => (rule.client ?? id) === id;
  const now = [...statuses].flatMap(([id, { jobs, restarts }]) =>
    isFor(id) ? [...jobs.map(({ type }) => type), ...restarts.keys()] : [],
  );
  const earlier = [...before].flatMap((key) => {
    const [, id = "", , type = ""] = daqParts(key);
    return isFor(id) && key === ruleKey({ ...rule, type }, id) ? type : [];
  });
  return [...new Set([...now, ...earlier])];
}

function describe({ rule, id, key, sight }: Check, since: number): Detection {
  const { type, statsKey, message, severity } = rule;
  const at = new Date(since * 1000).toISOString().slice(0, 19).replace("T", " ");
  const value = sight.kind === "value" ? show(String(sight.value)) : WITHOUT_VALUE[sight.kind];
  return {
    dedupeKey: key,
    subject: `${daqName(type)} of ${daqName(id)}: ${show(message)}`,
    body: [
      `${statsKey === "restart_stats" ? "Its instance_id and unique_id" : statsKey}: ${value}`,
      ...("seconds" in rule.wants ? [`Latest change: seen by the tick of ${at} UTC`] : []),
      `Rule: ${describeRule(rule)}`,
    ].join("\n"),
    severity,
    data: { metric: value, client: id, job: type, stats_key: statsKey },
  };
}

const WITHOUT_VALUE = {
  "no value": "the job has no count",
  "no job": "the client has no such job",
  unknown: "not known",
};

function describeRule({ wants, statsKey, alertIf, text }: Rule): string {
  const isWanted = alertIf === "satisfied";
  if ("amount" in wants)
    return `alert if ${statsKey} is ${isWanted ? "at least" : "less than"} ${text} (${alertIf})`;
  const changes = isWanted ? "changed in the last" : "has not changed for";
  return `alert if ${statsKey} ${changes} ${text} (${alertIf})`;
}
