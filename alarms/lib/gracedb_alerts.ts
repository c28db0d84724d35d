import { type JsonObject, parseUtc, type Sight } from "swf-alarms";
import { objectOf, textOf } from "./fields.ts";
import type { AlertWant } from "./gracedb_alert_graph.ts";
import { type Candidate, significanceOf } from "./gracedb_candidate.ts";

/** A notice of `superevents/ID/voevents/`. */
export interface Notice {
  /** EW, PR, IN, UP or RE. */
  readonly type: string;
  /** Epoch seconds. */
  readonly created: number;
}

/** A log entry that says that a notice was blocked. */
interface Block {
  /** Epoch seconds. */
  readonly created: number;
  readonly isByDecision: boolean;
}

/** What is known of a superevent beside its row. */
export interface AlertFacts {
  /** When each label was set, in epoch seconds. */
  readonly labels: { readonly [name: string]: number };
  /** The oldest first. */
  readonly notices: readonly Notice[];
  /** The oldest first. */
  readonly blocks: readonly Block[];
}

export const NO_FACTS: AlertFacts = { labels: {}, notices: [], blocks: [] };

/** The lists of a superevent, by the last part of their path. */
export type Need = "labels" | "voevents" | "logs";

export interface KnownAlert {
  readonly facts: AlertFacts;
  /** What it means that the facts do not show something of this list: it may not be loaded. */
  readonly absent: (need: Need) => Sight;
}

/** Throws Error for a response in which a time or a type cannot be read: it proves nothing about a notice. */
export function parseFacts(need: Need, response: unknown): Partial<AlertFacts> {
  switch (need) {
    case "labels": {
      const rows = rowsOf(response, "labels");
      return {
        labels: Object.fromEntries(rows.map((row) => [textIn(row, "name"), timeIn(row)])),
      };
    }
    case "voevents":
      return {
        notices: rowsOf(response, "voevents")
          .map((row) => ({ type: textIn(row, "voevent_type"), created: timeIn(row) }))
          .sort((a, b) => a.created - b.created),
      };
    case "logs":
      return {
        blocks: rowsOf(response, "log")
          .flatMap((row) => blockIn(row) ?? [])
          .sort((a, b) => a.created - b.created),
      };
  }
}

function rowsOf(response: unknown, list: string): readonly JsonObject[] {
  const rows = objectOf(response)?.[list];
  if (!Array.isArray(rows)) throw new Error(`it has no list "${list}"`);
  return rows.map((row) => {
    const object = objectOf(row);
    if (object === null) throw new Error(`"${list}" has a row that is not an object`);
    return object;
  });
}

function textIn(row: JsonObject, field: string): string {
  const text = textOf(row[field]);
  if (text === null) throw new Error(`a row has no readable ${field}`);
  return text;
}

function timeIn(row: JsonObject): number {
  const time = parseUtc(row.created);
  if (time === undefined) throw new Error("a row has no readable created time");
  return time;
}

function blockIn(row: JsonObject): Block | undefined {
  const comment = textOf(row.comment) ?? "";
  if (!comment.startsWith("Blocking automated notice due to labels")) return undefined;
  return { created: timeIn(row), isByDecision: /ADVOK|ADVNO/.test(comment) };
}

/** Seconds from a notice to the label that says that it was sent. */
const SENDING = 120;

/** When the engineering run before O4 began, in epoch seconds. */
const FIRST_LOCKS = Date.UTC(2023, 3, 26) / 1000;

/** How one thing is seen at a superevent. */
export function lookAtAlert(
  candidate: Candidate,
  known: KnownAlert,
  want: AlertWant,
  timed: boolean,
): Sight {
  const { facts, absent } = known;
  switch (want) {
    case "unsent preliminary":
      return unsent(alertPreliminaries(candidate, known), known, "GCN_PRELIM_SENT");
    case "unsent less-significant":
      return unsent(preliminaries(known), known, "LOW_SIGNIF_PRELIM_SENT");
    case "second preliminary":
      return secondOf(alertPreliminaries(candidate, known), known);
    case "second less-significant":
      return secondOf(preliminaries(known), known);
    case "notice EW":
    case "notice IN":
    case "notice RE":
    case "notice UP":
      return facts.notices.find(({ type }) => want.endsWith(type))?.created ?? absent("voevents");
    case "blocked":
      return facts.blocks[0]?.created ?? absent("logs");
    case "blocked by a decision":
      return facts.blocks.find(({ isByDecision }) => isByDecision)?.created ?? absent("logs");
    case "SKYMAP_READY":
    case "EMBRIGHT_READY":
    case "PASTRO_READY":
    case "EM_READY": {
      // A preferred event that came later may make it significant: the lock is not due before that.
      const sight = lookForLabel(candidate, known, want, timed);
      return typeof sight === "number" ? Math.max(sight, candidate.began) : sight;
    }
    case "CBC":
      return candidate.group === "CBC";
    case "SSM":
      return candidate.search?.toUpperCase() === "SSM";
    case "MDC":
      return candidate.category === "MDC";
    case "significant":
    case "less significant":
      return significanceOf(candidate) === want;
    case "run with locks":
      return candidate.created >= FIRST_LOCKS;
    default:
      return lookForLabel(candidate, known, want, timed);
  }
}

/** The labels of the preferred event count too, but have no times. */
function lookForLabel(
  { labels, eventLabels }: Candidate,
  { facts, absent }: KnownAlert,
  name: string,
  timed: boolean,
): Sight {
  if (!labels.includes(name)) return eventLabels.includes(name);
  const time = facts.labels[name];
  if (time !== undefined) return time;
  return timed ? absent("labels") || true : true;
}

function unsent(notices: readonly Notice[] | Sight, { absent }: KnownAlert, label: string): Sight {
  if (!isList(notices)) return notices;
  const [first] = notices;
  if (first === undefined) return absent("voevents");
  const bad = `it was created, but not sent: the label ${label} is missing`;
  return { bad, at: first.created + SENDING };
}

function secondOf(notices: readonly Notice[] | Sight, { absent }: KnownAlert): Sight {
  return isList(notices) ? (notices[1]?.created ?? absent("voevents")) : notices;
}

function preliminaries({ facts }: KnownAlert): readonly Notice[] {
  return facts.notices.filter(({ type }) => type === "PR");
}

/**
 * Those of a significant superevent, or why they cannot be told apart: what came before it was locked belongs to its earlier,
 * less significant alert.
 */
function alertPreliminaries(candidate: Candidate, known: KnownAlert): readonly Notice[] | Sight {
  const notices = preliminaries(known);
  const { labels } = candidate;
  if (!labels.includes("LOW_SIGNIF_PRELIM_SENT") || !labels.includes("SIGNIF_LOCKED"))
    return notices;
  const locked = lookForLabel(candidate, known, "SIGNIF_LOCKED", true);
  if (typeof locked === "number") return notices.filter(({ created }) => created >= locked);
  return locked === true ? { unknown: "GraceDB has no time for SIGNIF_LOCKED" } : locked;
}

function isList(value: readonly Notice[] | Sight): value is readonly Notice[] {
  return Array.isArray(value);
}
