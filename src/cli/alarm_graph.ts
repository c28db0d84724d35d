import type { Graph, State, States } from "../author/expectations/expectation.ts";
import { toDot } from "../author/expectations/to_dot.ts";
import type { Outcome } from "../core/model.ts";
import { quote } from "../text/describe.ts";
import type { JsonValue } from "../text/json.ts";
import { suggestion } from "../text/nearest.ts";
import { findAlarm, NotFound, renderState, type ViewedAlarm } from "./alarms.ts";
import { type ConfigOption, readConfig, withDatabase } from "./session.ts";
import { withTriedAlarm } from "./try_alarm.ts";

/** Entities that are kept, and those that a message names. */
const MAX_ENTITIES = 10_000;
const NAMED = 5;

/**
 * The graph of an alarm's module in DOT; with the id of an entity, or the key of one of its events, in the colours of its states
 * now. Writes nothing. Throws NotFound.
 */
export async function alarmGraph(
  name: string,
  options: ConfigOption,
  key: string | undefined,
): Promise<string> {
  if (key !== undefined) return await graphOfEntity(name, options, key);
  const alarm = await withDatabase(
    readConfig(options),
    async (db, config) => await findAlarm(db, config, name),
  );
  return toDot(graphOf(alarm), alarm.row.name);
}

async function graphOfEntity(name: string, options: ConfigOption, key: string): Promise<string> {
  const seen = new Map<string, States>();
  // As `follow` makes the keys of events.
  const ids = [key, key.slice(0, Math.max(0, key.lastIndexOf(":")))];
  const keep = (id: string, states: States): void => {
    if (ids.includes(id) || seen.size < MAX_ENTITIES) seen.set(id, states);
  };
  // As with --json, nothing else goes to stdout.
  const quiet = { ...options, json: true };
  return await withTriedAlarm(
    name,
    quiet,
    async ({ alarm, recorded }) => {
      const graph = graphOf(alarm);
      const entity = ids.find((id) => seen.has(id)) ?? key;
      const states = seen.get(entity);
      const what = `${alarm.row.name}: ${entity}`;
      // What the parameters of the alarm leave out of its graph has no state.
      const stateOf = (step: string): State => states?.[step] ?? "not expected";
      if (states !== undefined)
        return toDot(
          graph,
          what,
          new Map(graph.expectations.map(({ name: step }) => [step, stateOf(step)])),
        );
      throw new NotFound(notFollowed(alarm.row.name, key, [...seen.keys()], recorded.outcome));
    },
    keep,
  );
}

function graphOf(alarm: Pick<ViewedAlarm, "row" | "module" | "readiness">): Graph<JsonValue> {
  const { row, module, readiness } = alarm;
  if (module?.graph !== undefined) return module.graph;
  const isLoaded = module !== undefined || readiness.kind === "ready";
  throw new NotFound(
    isLoaded
      ? `${row.name} has no graph: its module does not export GRAPH`
      : `the graph of ${row.name} is not loaded: ${renderState(alarm)}`,
  );
}

function notFollowed(
  name: string,
  entity: string,
  known: readonly string[],
  { status, reasons }: Outcome,
) {
  const others = known.length > NAMED ? ` and ${known.length - NAMED} more` : "";
  const followed =
    known.length === 0
      ? "none; the module passes its entities on by follow({ seen: client.states, … })"
      : `${known.slice(0, NAMED).map(quote).join(", ")}${others}`;
  const why = status === "complete" ? "" : `; the outcome is ${status}: ${reasons.join("; ")}`;
  return `detect of ${name} followed no entity ${quote(entity)}${suggestion(entity, known)}; it followed ${followed}${why}`;
}
