import type { Clear, Detection } from "../../core/model.ts";
import { quote } from "../../text/describe.ts";
import { utcSecond } from "../../text/utc.ts";
import type { Graph, Sight, Verdict } from "./expectation.ts";
import { judgeFiring } from "./judge.ts";

/** How the entities of a service are followed along a graph. */
export interface FollowFacts<W, E> {
  readonly graph: Graph<W>;
  /** Epoch seconds: `client.now`. */
  readonly now: number;
  /** What names an entity: keys are `id:name`. */
  readonly id: (entity: E) => string;
  /** When an entity began, in epoch seconds. */
  readonly start: (entity: E) => number;
  readonly look: (entity: E, want: W, timed: boolean) => Sight;
  /** Loads one fact of an entity, after which `look` no longer needs it; not needed if `look` never needs one. */
  readonly load?: ((entity: E, need: string) => Promise<unknown>) | undefined;
  /** Reports what could not be looked at, such as `client.incomplete`; its event stays as it is. */
  readonly unknown: (reason: string, key: string) => void;
  /**
   * Keys of the active events, from `client.firing()`: what decides about them is loaded in each tick, so that they end with
   * "late by …", and never because something could not be looked at. Without
   * them, any may be active.
   */
  readonly firing?: ReadonlySet<string>;
  /** Notes what came late and is not firing, such as `client.note`: it came before anyone was told. */
  readonly note?: (text: string) => void;
  /** Called once for each entity, with what became of its expectations, such as `client.states`. */
  readonly seen?: (entity: string, verdicts: readonly Verdict<W>[]) => void;
  /** What replaces the usual subject, body and data of a detection, or is added to them. */
  readonly describe?: (entity: E, verdict: Verdict<W>) => Partial<Omit<Detection, "dedupeKey">>;
}

/** Yields what is missing or bad of one entity, and ends the events of what came late or was cancelled. */
export async function* follow<W, E>(
  facts: FollowFacts<W, E>,
  entity: E,
): AsyncGenerator<Detection | Clear, void, undefined> {
  const id = facts.id(entity);
  const verdicts = await judgeLoaded(facts, entity, id);
  facts.seen?.(id, verdicts);
  for (const verdict of verdicts) {
    const dedupeKey = keyOf(id, verdict);
    const mayFire = facts.firing?.has(dedupeKey) ?? true;
    const { state, reason = "it cannot be looked at" } = verdict;
    if (state === "missing" || state === "bad")
      yield detectionOf(facts, entity, verdict, dedupeKey);
    else if (state === "unknown") facts.unknown(`${dedupeKey}: ${reason}`, dedupeKey);
    else if (state === "waiting") {
      // Its event must not clear only because what it comes after cannot be looked at.
      const above = mayFire ? unknownAbove(verdict, verdicts) : undefined;
      if (above !== undefined)
        facts.unknown(`${dedupeKey}: it waits for ${quote(above)}, which is unknown`, dedupeKey);
    } else if (state === "late" || state === "cancelled") {
      if (mayFire) yield { dedupeKey, clear: endOf(verdict) };
      else if (state === "late")
        facts.note?.(`${id}: ${wordsOf(verdict)} came ${lateness(verdict)} late`);
    }
  }
}

/** The name of an expectation that it waits for, directly or not, and that could not be judged. */
function unknownAbove<W>(
  { expectation: { after = [] } }: Verdict<W>,
  verdicts: readonly Verdict<W>[],
): string | undefined {
  for (const parent of verdicts.filter(({ expectation }) => after.includes(expectation.name))) {
    if (parent.state === "unknown") return parent.expectation.name;
    const above = parent.state === "waiting" ? unknownAbove(parent, verdicts) : undefined;
    if (above !== undefined) return above;
  }
  return undefined;
}

function wordsOf<W>({ expectation: { name, words = name } }: Verdict<W>): string {
  return words;
}

function lateness<W>({ at = 0, due = 0 }: Verdict<W>): string {
  return `${Math.ceil(at - due)} s`;
}

function keyOf<W>(id: string, { expectation }: Verdict<W>): string {
  return `${id}:${expectation.name}`;
}

/** Loads what would decide something, one fact after the other, until nothing more is needed. */
async function judgeLoaded<W, E>(
  { graph, now, start, look, load, firing }: FollowFacts<W, E>,
  entity: E,
  id: string,
): Promise<readonly Verdict<W>[]> {
  const mayFire = new Set(
    graph.expectations.map(({ name }) => name).filter((name) => firing?.has(`${id}:${name}`)),
  );
  const loaded = new Set<string>();
  for (;;) {
    const verdicts = judgeFiring(
      graph,
      start(entity),
      (want, timed) => look(entity, want, timed),
      now,
      mayFire,
    );
    const need = verdicts.find((verdict) => verdict.need !== undefined)?.need;
    if (need === undefined) return verdicts;
    if (load === undefined) throw new Error(`${id}: look needs ${need}, and there is no load`);
    if (loaded.has(need)) throw new Error(`${id}: look needs ${need}, which was loaded already`);
    loaded.add(need);
    await load(entity, need);
  }
}

function detectionOf<W, E>(
  { id, describe }: FollowFacts<W, E>,
  entity: E,
  verdict: Verdict<W>,
  dedupeKey: string,
): Detection {
  const { expectation, state, reason, due } = verdict;
  const { name, severity, stage, owner } = expectation;
  const by = due === undefined ? "" : utcSecond(due);
  const isBad = state === "bad";
  const { data, ...rest } = describe?.(entity, verdict) ?? {};
  return {
    dedupeKey,
    // Short: the subject of a mail ends with it where it fits.
    subject: `${id(entity)}: ${wordsOf(verdict)} is ${isBad ? "unusable" : "missing"}`,
    body: isBad ? `It is there, but unusable: ${reason}.` : `It was expected by ${by}.`,
    ...(severity !== undefined && { severity }),
    ...(stage !== undefined && { stage }),
    ...rest,
    data: { state, expectation: name, expected_by: by, owner, ...data },
  };
}

function endOf<W>(verdict: Verdict<W>): string {
  const { state, reason } = verdict;
  if (state === "late") return `late by ${lateness(verdict)}`;
  return reason === undefined ? "cancelled" : `cancelled: ${reason}`;
}
