import type { Detection, Track } from "swf-alarms";
import { clientScope, type DaqStatus, daqKey, daqName } from "./enrgdaq.ts";
import { groupJobs, isCrashLoop, type JobGroup, rateOf, restartsOf } from "./enrgdaq_jobs.ts";
import { show } from "./fields.ts";

export interface JobLimits {
  readonly restarts: number;
  /** Messages per second; undefined if they do not matter. */
  readonly out_per_second: number | undefined;
  readonly in_per_second: number | undefined;
  /** MiB. */
  readonly rss_mb: number;
}

export interface JudgeFacts {
  readonly id: string;
  readonly status: DaqStatus;
  readonly track: Track;
  /** Name of a job → how many of them are known. */
  readonly known: ReadonlyMap<string, number>;
  readonly limitsOf: (name: string) => JobLimits;
  /** Epoch seconds. */
  readonly now: number;
  /** Seconds. */
  readonly window: number;
}

/** What is wrong with the jobs of a client that has answered. */
export function judgeJobs(facts: JudgeFacts): readonly Detection[] {
  const { id, status, known } = facts;
  const groups = groupJobs(id, status);
  const names = new Set([...groups.keys(), ...known.keys(), ...status.restarts.keys()]);
  return [...names].flatMap((name) => {
    const group = groups.get(name);
    return [
      ...judgeMissing(facts, name, group),
      ...judgeRestarts(facts, name),
      ...(group?.jobs.length === 1 ? judgeCounts(facts, group) : []),
    ];
  });
}

function judgeMissing(facts: JudgeFacts, name: string, group: JobGroup | undefined): Detection[] {
  const { id, status, known } = facts;
  const [now, before] = [group?.jobs.length ?? 0, known.get(name) ?? 0];
  // One that waits for its restart is reported as such. The list has only its type.
  const isRestarting = status.restarts.has(name.slice(name.lastIndexOf("/") + 1));
  if (now >= before || isRestarting) return [];
  const what = before === 1 ? daqName(name) : `${before - now} of ${before} ${daqName(name)}`;
  return [
    {
      dedupeKey: jobKey(id, name, "missing"),
      subject: `${what} of ${daqName(id)} ran before, and now neither runs nor waits for a restart`,
      body: "It was stopped, or it crashed and is not to be restarted.",
      severity: "error",
      data: { metric: "missing", client: id, job: name },
    },
  ];
}

function judgeRestarts(facts: JudgeFacts, name: string): Detection[] {
  const { id, status, track, limitsOf, window } = facts;
  const restarts = restartsOf(track, id, name);
  const restartAt = status.restarts.get(name);
  const isLoop = isCrashLoop(restarts, limitsOf(name).restarts);
  if (!isLoop && restartAt === undefined) return [];
  const { seen, started } = restarts;
  const minutes = Math.round(window / 60);
  const text = `restarted at least ${seen} times in ${minutes} min`;
  const waits = `died, and is to be restarted at ${show(restartAt ?? null)} (its local time)`;
  return [
    {
      dedupeKey: jobKey(id, name, "restarts"),
      subject: `${daqName(name)} of ${daqName(id)} ${isLoop ? text : waits}`,
      body: [
        `Restarts that the ticks of the last ${minutes} min have seen: ${seen}.`,
        `In that time its instance_id grew by ${started}, which counts the starts of all jobs of the client.`,
        ...(restartAt === undefined ? [] : [`At the last look it ${waits}.`]),
      ].join("\n"),
      severity: isLoop ? "error" : "warning",
      data: { metric: `${seen}x`, client: id, job: name },
    },
  ];
}

function judgeCounts(facts: JudgeFacts, { name, counts }: JobGroup): Detection[] {
  const { id, limitsOf } = facts;
  const { rss_mb, out_per_second, in_per_second } = limitsOf(name);
  const rss = counts?.rss ?? 0;
  const found: Detection[] = [];
  if (rss > rss_mb)
    found.push({
      dedupeKey: jobKey(id, name, "memory"),
      subject: `${daqName(name)} of ${daqName(id)} has ${Math.round(rss)} MiB of memory, more than ${rss_mb}`,
      severity: "warning",
      data: { metric: `${Math.round(rss)} MiB`, client: id, job: name, limit: rss_mb },
    });
  const floors = { out: out_per_second, in: in_per_second };
  for (const direction of ["out", "in"] as const) {
    const stall = judgeRate(facts, name, direction, floors[direction] ?? 0);
    if (stall !== undefined) found.push(stall);
  }
  return found;
}

function judgeRate(
  { id, track, now, window }: JudgeFacts,
  name: string,
  direction: "in" | "out",
  floor: number,
): Detection | undefined {
  const rate = rateOf(track, daqKey(direction, id, name), now, window);
  if (floor <= 0 || rate.kind === "too early") return undefined;
  if (rate.kind === "rate" && rate.perSecond >= floor) return undefined;
  const verb = direction === "out" ? "sends" : "receives";
  const perSecond = rate.kind === "rate" ? round(rate.perSecond) : undefined;
  const text =
    perSecond === undefined
      ? `has reported no count of messages for ${Math.round(window / 60)} min`
      : `${verb} ${perSecond} messages per second, fewer than ${floor}`;
  return {
    dedupeKey: jobKey(id, name, `stalled_${direction}`),
    subject: `${daqName(name)} of ${daqName(id)} ${text}`,
    body:
      direction === "out"
        ? "A job that has nothing to send still counts its own heartbeat and statistics, 1 to 2 per second."
        : "",
    severity: "error",
    data: { metric: `${perSecond ?? "?"}/s`, client: id, job: name, floor },
  };
}

function round(value: number): number {
  return Number(value.toPrecision(2));
}

export function jobKey(id: string, name: string, what: string): string {
  return `${clientScope(id)}${daqKey("job", name, what)}`;
}
