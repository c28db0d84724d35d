import type { Clear } from "../../core/model.ts";

export interface LookBackFacts {
  /** Keys of the active events: `client.firing()`. */
  readonly firing: Iterable<string>;
  /** Ids of the entities that the list has, which was read to its end. */
  readonly seen: ReadonlySet<string>;
  /** The id of the entity in a key; by default what is before the last colon, as in the keys of `follow`. */
  readonly idOf?: (dedupeKey: string) => string;
  /** Whether an entity is too old for the list; by default each one that is not in it. The others end as usual. */
  readonly hasLeft?: (id: string) => boolean;
}

/**
 * Says why the events of entities end that are too old for the list: nobody looks at them any more. A list that is cut short
 * ends none of them: the outcome must be complete. The look-back of the list must be at least `horizon(graph)`, so that
 * nothing leaves it before its deadline.
 */
export function leftLookBack({
  firing,
  seen,
  idOf = beforeLastColon,
  hasLeft = () => true,
}: LookBackFacts): readonly Clear[] {
  return [...firing]
    .filter((key) => !seen.has(idOf(key)) && hasLeft(idOf(key)))
    .map((dedupeKey) => ({ dedupeKey, clear: "left the look-back", ifGone: true }));
}

/** The id of the entity in a key of `follow`. */
export function beforeLastColon(dedupeKey: string): string {
  return dedupeKey.slice(0, Math.max(0, dedupeKey.lastIndexOf(":")));
}
