import { deliveryComplaints } from "./deliveries.ts";
import { type EventRow, type History, runOf } from "./history.ts";
import { ALARMS, ENGINE, type World } from "./world.ts";

/** What is wrong with the record after a tick that nobody killed; nothing where the promises held. */
export function complaints(history: History, world: World): readonly string[] {
  return [
    ...stateComplaints(history, world),
    ...engineComplaints(history),
    ...runComplaints(history),
    ...deliveryComplaints(history, world),
  ];
}

/** One active event for each thing that is wrong, no more and no less, and no two at the same time. */
function stateComplaints(history: History, world: World): readonly string[] {
  const found: string[] = [];
  for (const { name } of ALARMS) {
    const own = history.events.filter(({ alarm }) => alarm === `alarm_${name}`);
    const active = own.filter(({ cleared }) => cleared === null).map(({ key }) => key);
    if (active.sort().join() !== world.wrong(name).join())
      found.push(`${name}: active are [${active}], wrong are [${world.wrong(name)}]`);
  }
  for (const [one, other] of neighbours(history.events)) {
    if ((one.cleared ?? Number.POSITIVE_INFINITY) > other.fired)
      found.push(`${one.alarm}: ${one.subject} was still active when ${other.subject} fired`);
  }
  return found;
}

/** Each crash that a whole tick found is an event of the alarm `engine`, and is over with the next tick. */
function engineComplaints({ events, runs }: History): readonly string[] {
  const own = events.filter(({ alarm, key }) => alarm === ENGINE && key === "tick:crashed");
  return runs
    .filter(({ finished }) => finished !== undefined)
    .flatMap(({ started }) => {
      const found = runs.some(({ crashed }) => crashed === started);
      const active = own.some(
        ({ fired, cleared }) => fired <= started && (cleared === null || cleared > started),
      );
      return active === found
        ? []
        : [
            `the run that started at ${started} found ${found ? "a" : "no"} crash; its event is ${active ? "" : "not "}active`,
          ];
    });
}

/** Events of the same thing, each with the one that followed it. */
function neighbours(events: readonly EventRow[]): readonly (readonly [EventRow, EventRow])[] {
  const thing = ({ alarm, key }: EventRow): string => `${alarm} ${key}`;
  const sorted = [...events].sort((a, b) => thing(a).localeCompare(thing(b)) || a.fired - b.fired);
  return sorted.flatMap((event, index) => {
    const next = sorted[index + 1];
    return next === undefined || thing(event) !== thing(next) ? [] : [[event, next] as const];
  });
}

/** Each tick has at most one run, which is finished or was closed as crashed by a later one. */
function runComplaints(history: History): readonly string[] {
  const found: string[] = [];
  const ofTicks = history.ticks.map((tick) => ({ tick, run: runOf(history, tick) }));
  const begin = history.ticks[0]?.begin ?? 0;
  for (const run of history.runs.filter(({ started }) => started >= begin)) {
    if (ofTicks.filter((one) => one.run?.id === run.id).length !== 1)
      found.push(`the run that started at ${run.started} belongs to no tick, or to several`);
  }
  for (const { tick, run } of ofTicks) {
    const what = `tick ${tick.number}, ${tick.killed ? `killed at ${tick.instant}` : "not killed"}`;
    if (!tick.killed && run?.finished === undefined)
      found.push(`${what}: its run is not finished: it was skipped, or lost`);
    if (run === undefined) continue;
    if (run.status !== "done") found.push(`${what}: its run was left ${run.status}`);
    if ((run.finished === undefined) === (run.crashed === undefined))
      found.push(`${what}: its run must be either finished or closed as crashed`);
  }
  return found;
}
