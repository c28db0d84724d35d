import type { Sight } from "swf-alarms";
import type { FollowedSuperevent, LogEntry } from "./gracedb_followed.ts";

/**
 * What a graph can look for, as it reads in a drawing. `*` is any characters. `log` is a part of a comment; `unlabelled` is a
 * file that is there without the label that should follow it, which is bad.
 */
export type Want =
  | `label ${string}`
  | `file ${string}`
  | `file ${string} tagged ${string}`
  | `unlabelled ${string}`
  | `log ${string}`
  | `group ${string}`
  | `pipeline ${string}`
  | `search ${string}`
  | `category ${string}`
  | `instrument ${string}`
  | `far up to ${number}`
  /** The false alarm rate is within the limit of the alarm. */
  | "far watched"
  /** There is a false alarm rate, and it can be one. */
  | "far"
  /** It was found as the data came, not in a later search. */
  | "online";

/** As event_supervisor2 has it, in Hz. */
const HIGHEST_FAR = 1e-3;

/** Seconds from a file to its label that are nothing to speak of. */
const LABEL_GRACE = 300;

/** How a wanted thing is seen, by what is loaded of a superevent; what is not loaded is needed. */
export function lookFor(
  entity: FollowedSuperevent,
  want: Want,
  timed: boolean,
  farLimit: number,
): Sight {
  const { far, group, pipeline, search, category, instruments, isOffline } = entity.superevent;
  if (want === "far") return seeFar(far);
  if (want === "far watched") return isFarUpTo(far, farLimit);
  if (want === "online") return !isOffline;
  const [kind = "", rest = ""] = splitAtBlank(want);
  switch (kind) {
    case "label":
      return seeLabel(entity, rest, timed);
    case "file":
      return seeFile(entity, rest);
    case "unlabelled":
      return seeUnlabelled(entity, rest);
    case "log":
      return seeLog(entity, rest);
    case "group":
      return group === rest;
    case "pipeline":
      return pipeline?.toLowerCase() === rest.toLowerCase();
    case "search":
      return search === rest;
    case "category":
      return category === rest;
    case "instrument":
      return instruments.includes(rest);
    case "far":
      return isFarUpTo(far, Number(rest.replace("up to ", "")));
    default:
      return { unknown: `no module knows how to look for ${want}` };
  }
}

function splitAtBlank(text: string): readonly string[] {
  const blank = text.indexOf(" ");
  return blank < 0 ? [text] : [text.slice(0, blank), text.slice(blank + 1)];
}

function seeFar(far: number | null): Sight {
  if (far === null) return false;
  if (far >= 0 && far <= HIGHEST_FAR) return true;
  return { bad: `${far} Hz is not between 0 and ${HIGHEST_FAR} Hz` };
}

/** What has no rate is watched: better reported than missed. */
function isFarUpTo(far: number | null, limit: number): boolean {
  return far === null || far <= limit;
}

/** The list has labels without times; those of the preferred event count too. */
function seeLabel(
  { superevent, labelTimes }: FollowedSuperevent,
  name: string,
  timed: boolean,
): Sight {
  const isOwn = superevent.labels.includes(name);
  if (labelTimes === undefined || "unknown" in labelTimes) {
    if (isOwn && timed) return labelTimes ?? { need: "labels" };
  } else {
    const time = labelTimes.get(name);
    if (time !== undefined) return time;
  }
  return isOwn || superevent.preferredLabels.includes(name);
}

function seeFile(entity: FollowedSuperevent, text: string): Sight {
  const [name = "", tags] = text.split(" tagged ");
  const isNamed = matcher(name);
  const found = seeEntry(entity, ({ filename }) => isNamed(filename));
  if (typeof found !== "number" || tags === undefined) return found;
  const wanted = tags.split(" ").sort().join(" ");
  const tagged = seeEntry(
    entity,
    (entry) => isNamed(entry.filename) && [...entry.tags].sort().join(" ") === wanted,
  );
  return tagged === false ? { bad: `its tags are not ${tags}`, at: found } : tagged;
}

function seeLog(entity: FollowedSuperevent, text: string): Sight {
  const isPart = matcher(`*${text}*`);
  return seeEntry(entity, ({ comment }) => isPart(comment));
}

function seeUnlabelled({ logs }: FollowedSuperevent, name: string): Sight {
  if (logs === undefined) return { need: "logs" };
  if ("unknown" in logs) return logs;
  const isNamed = matcher(name);
  const first = firstOf(logs, ({ filename }) => isNamed(filename));
  if (first === undefined) return false;
  return { bad: `${first.filename} has no label`, at: first.created + LABEL_GRACE };
}

function seeEntry({ logs }: FollowedSuperevent, isIt: (entry: LogEntry) => boolean): Sight {
  if (logs === undefined) return { need: "logs" };
  if ("unknown" in logs) return logs;
  return firstOf(logs, isIt)?.created ?? false;
}

/** The first counts: a later one is a new version of what was there. */
function firstOf(
  logs: readonly LogEntry[],
  isIt: (entry: LogEntry) => boolean,
): LogEntry | undefined {
  return logs
    .filter(isIt)
    .reduce<LogEntry | undefined>(
      (first, each) => (first !== undefined && first.created <= each.created ? first : each),
      undefined,
    );
}

function matcher(name: string): (filename: string) => boolean {
  const parts = name.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`^${parts.join(".*")}$`, "s");
  return (filename) => pattern.test(filename);
}
