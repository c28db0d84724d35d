import { hostname } from "node:os";
import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";
import { type Question, RESOURCES } from "./lib/host_readings.ts";

export const TITLE = "Resources of the engine's host";

export const DESCRIPTION =
  "CPU, load, memory, swap, a disk or a process of the host that the engine runs on is above its limit.";

/** It looks at its own host. */
export const SOURCES = [];

export const PARAMS = {
  limits: {
    type: "table",
    required: true,
    description: "report each resource that is above its limit",
    columns: {
      what: {
        type: "string",
        required: true,
        choices: Object.keys(RESOURCES),
        description: "the resource",
      },
      of: {
        type: "string",
        description: "disk, inodes: a path; process, process_tree, program: a name; else nothing",
      },
      above: {
        type: "number",
        required: true,
        min: 0,
        description:
          "the limit: percent of cpu, memory, swap, disk, inodes; load per CPU; MiB of processes",
      },
      severity: {
        type: "string",
        choices: ["info", "warning", "error", "critical"],
        description: "how bad it is to be above it; else the severity of the alarm",
      },
    },
  },
  supervisor: {
    type: "string",
    description: 'ask this source (kind = "xmlrpc") for the processes of programs',
  },
} as const satisfies ParamSpecs;

type Params = ParamsOf<typeof PARAMS>;
export type Limit = Params["limits"][number];

export async function* detect(client: AlarmClient, { limits, supervisor = "" }: Params) {
  const faults = limits.flatMap(limitFaults);
  if (limits.some(({ what }) => what === "program") && supervisor === "")
    faults.push("supervisor: the limit of a program needs the name of a source");
  if (faults.length > 0) throw new Error(faults.join("; "));
  const host = hostname();
  for (const [dedupeKey, own] of byResource(limits)) {
    const [{ of = "" }] = own;
    const question = { of, supervisor, scope: dedupeKey };
    const reading = await readResource(client, own[0].what, question);
    if (reading === undefined) continue;
    const reached = highestReached(own, reading.value);
    if (reached === undefined) continue;
    const { text, metric, body } = reading;
    yield {
      dedupeKey,
      subject: `${host}: ${text}, above ${reached.above}${RESOURCES[reached.what]?.unit}`,
      body,
      severity: reached.severity,
      data: { metric, host, limit: reached.above },
    };
  }
}

/** Undefined if there is nothing to compare, or it cannot be known, which is reported. */
async function readResource(client: AlarmClient, what: string, question: Question) {
  try {
    return await RESOURCES[what]?.read(client, question);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const subject = `${what} ${question.of}`.trim();
    client.incomplete(`could not read ${subject}: ${reason}`, question.scope);
    return undefined;
  }
}

/** Why a row cannot be used. */
function limitFaults({ what, of }: Limit, index: number): readonly string[] {
  const wanted = RESOURCES[what]?.of;
  if (wanted === undefined && of)
    return [`limits[${index}].of: ${what} is one for the whole host; leave it out`];
  return wanted !== undefined && !of ? [`limits[${index}].of: ${what} needs ${wanted}`] : [];
}

/** Dedupe key → the limits of a resource. A key ends with what it is: a gap of `/data` must not cover `/data2`. */
export function byResource(limits: readonly Limit[]): ReadonlyMap<string, NonEmpty<Limit>> {
  const found = new Map<string, NonEmpty<Limit>>();
  for (const limit of limits) {
    const key = limit.of ? `${limit.of}:${limit.what}` : limit.what;
    found.set(key, [...(found.get(key) ?? []), limit]);
  }
  return found;
}

export function highestReached(limits: readonly Limit[], value: number): Limit | undefined {
  return limits.filter(({ above }) => value > above).sort((a, b) => b.above - a.above)[0];
}

type NonEmpty<T> = readonly [T, ...T[]];
