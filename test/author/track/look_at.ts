import type { Scalar } from "../../../src/author/track/history.ts";
import type { Samples } from "../../../src/author/track/samples.ts";
import { Track, type TrackOptions } from "../../../src/author/track/track.ts";

/** One look: its time, what it saw, and what could not be looked at. */
export type Look = readonly [now: number, samples: Samples, unknown?: readonly string[]];

/** Looks as ticks do: each has what the one before remembered, as JSON. */
export function lookAt(looks: readonly Look[], options: Omit<TrackOptions, "now">): Track {
  let memory: unknown;
  let track = new Track(memory, {}, { ...options, now: looks[0]?.[0] ?? 0 });
  for (const [now, samples, unknown = []] of looks) {
    track = new Track(memory, samples, {
      ...options,
      now,
      unknown: (key) => unknown.includes(key),
    });
    memory = JSON.parse(JSON.stringify(track.memory));
  }
  return track;
}

/** Looks at one key, "a", which is absent where the value is undefined. */
export function seen(
  ...looks: readonly (readonly [now: number, value?: Scalar])[]
): readonly Look[] {
  return looks.map(([now, value]) => [now, value === undefined ? {} : { a: value }]);
}
