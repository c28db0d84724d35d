import type { Sight } from "swf-alarms";
import type { AlertWant } from "./gracedb_alert_graph.ts";
import { significanceOf } from "./gracedb_alert_significance.ts";
import { absent, type Known, seeLabel } from "./gracedb_known.ts";
import type { DatedSuperevent } from "./gracedb_list.ts";
import type { Notice } from "./gracedb_records.ts";

/** Seconds from a notice to the label that says that it was sent. */
const SENDING = 120;

/** When the engineering run before O4 began, in epoch seconds. */
const FIRST_LOCKS = Date.UTC(2023, 3, 26) / 1000;

/** When it was created, or its preferred event if that came later, in epoch seconds. */
export function beganAt({ created, preferredCreated }: DatedSuperevent): number {
  return Math.max(created, preferredCreated ?? created);
}

/** How one thing is seen at a superevent; what is not loaded is needed. */
export function lookAtAlert(
  superevent: DatedSuperevent,
  known: Known,
  want: AlertWant,
  timed: boolean,
): Sight {
  switch (want) {
    case "unsent preliminary":
      return unsent(alertPreliminaries(superevent, known), known, "GCN_PRELIM_SENT");
    case "unsent less-significant":
      return unsent(preliminaries(known), known, "LOW_SIGNIF_PRELIM_SENT");
    case "second preliminary":
      return secondOf(alertPreliminaries(superevent, known), known);
    case "second less-significant":
      return secondOf(preliminaries(known), known);
    case "notice EW":
    case "notice IN":
    case "notice RE":
    case "notice UP":
      return (
        known.voevents.find(({ type }) => want === `notice ${type}`)?.created ??
        absent(known, "voevents")
      );
    case "blocked":
      return seeBlock(known, "");
    case "blocked by a decision":
      return seeBlock(known, "ADVOK|ADVNO");
    case "SKYMAP_READY":
    case "EMBRIGHT_READY":
    case "PASTRO_READY":
    case "EM_READY": {
      // A preferred event that came later may make it significant: the lock is not due before that.
      const sight = seeLabel(superevent, known, want, timed);
      return typeof sight === "number" ? Math.max(sight, beganAt(superevent)) : sight;
    }
    case "CBC":
      return superevent.group === "CBC";
    case "SSM":
      return superevent.search?.toUpperCase() === "SSM";
    case "MDC":
      return superevent.category === "MDC";
    case "significant":
    case "less significant":
      return significanceOf(superevent) === want;
    case "run with locks":
      return superevent.created >= FIRST_LOCKS;
    default:
      return seeLabel(superevent, known, want, timed);
  }
}

/** A log entry that says that a notice was blocked by one of these labels. */
function seeBlock(known: Known, labels: string): Sight {
  const pattern = new RegExp(`^Blocking automated notice due to labels.*(${labels})`, "s");
  const entry = known.logs.find(({ comment }) => pattern.test(comment));
  return entry?.created ?? absent(known, "logs");
}

function unsent(notices: readonly Notice[] | Sight, known: Known, label: string): Sight {
  if (!isList(notices)) return notices;
  const [first] = notices;
  if (first === undefined) return absent(known, "voevents");
  const bad = `created, but not sent: the label ${label} is missing`;
  return { bad, at: first.created + SENDING };
}

function secondOf(notices: readonly Notice[] | Sight, known: Known): Sight {
  return isList(notices) ? (notices[1]?.created ?? absent(known, "voevents")) : notices;
}

function preliminaries({ voevents }: Known): readonly Notice[] {
  return voevents.filter(({ type }) => type === "PR");
}

/**
 * Those of a significant superevent, or why they cannot be told apart: what came before it was locked belongs to its earlier,
 * less significant alert.
 */
function alertPreliminaries(superevent: DatedSuperevent, known: Known): readonly Notice[] | Sight {
  const notices = preliminaries(known);
  const { labels } = superevent;
  if (!labels.includes("LOW_SIGNIF_PRELIM_SENT") || !labels.includes("SIGNIF_LOCKED"))
    return notices;
  const locked = seeLabel(superevent, known, "SIGNIF_LOCKED", true);
  if (typeof locked === "number") return notices.filter(({ created }) => created >= locked);
  return locked === true ? { unknown: "GraceDB has no time for SIGNIF_LOCKED" } : locked;
}

function isList(value: readonly Notice[] | Sight): value is readonly Notice[] {
  return Array.isArray(value);
}
