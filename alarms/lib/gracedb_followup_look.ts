import type { Sight } from "swf-alarms";
import type { Superevent } from "./gracedb.ts";
import { absent, type Known, seeLabel } from "./gracedb_known.ts";
import { isFarUpTo } from "./gracedb_list.ts";
import type { LogEntry } from "./gracedb_records.ts";

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

/** How a wanted thing is seen at a superevent; what is not loaded is needed. */
export function lookFor(
  superevent: Superevent,
  known: Known,
  want: Want,
  timed: boolean,
  farLimit: number,
): Sight {
  const { far, group, pipeline, search, category, instruments, isOffline } = superevent;
  if (want === "far") return seeFar(far);
  if (want === "far watched") return isFarUpTo(farLimit, superevent);
  if (want === "online") return !isOffline;
  const [kind = "", rest = ""] = splitAtBlank(want);
  switch (kind) {
    case "label":
      return seeLabel(superevent, known, rest, timed);
    case "file":
      return seeFile(known, rest);
    case "unlabelled":
      return seeUnlabelled(known, rest);
    case "log":
      return seeLog(known, rest);
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
      return isFarUpTo(Number(rest.replace("up to ", "")), superevent);
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

function seeFile(known: Known, text: string): Sight {
  const [name = "", tags] = text.split(" tagged ");
  const isNamed = matcher(name);
  const found = seeEntry(known, ({ filename }) => isNamed(filename));
  if (typeof found !== "number" || tags === undefined) return found;
  const wanted = tags.split(" ").sort().join(" ");
  const tagged = seeEntry(
    known,
    (entry) => isNamed(entry.filename) && [...entry.tags].sort().join(" ") === wanted,
  );
  return tagged === false ? { bad: `its tags are not ${tags}`, at: found } : tagged;
}

function seeLog(known: Known, text: string): Sight {
  const isPart = matcher(`*${text}*`);
  return seeEntry(known, ({ comment }) => isPart(comment));
}

function seeUnlabelled(known: Known, name: string): Sight {
  const isNamed = matcher(name);
  const first = known.logs.find(({ filename }) => isNamed(filename));
  if (first === undefined) return absent(known, "logs");
  return { bad: `${first.filename} has no label`, at: first.created + LABEL_GRACE };
}

/** The first counts: a later one is a new version of what was there. */
function seeEntry(known: Known, isIt: (entry: LogEntry) => boolean): Sight {
  return known.logs.find(isIt)?.created ?? absent(known, "logs");
}

function matcher(name: string): (filename: string) => boolean {
  const parts = name.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`^${parts.join(".*")}$`, "s");
  return (filename) => pattern.test(filename);
}
