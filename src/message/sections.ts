import { type Bundle, bundleSubject, type ListedItem } from "../core/bundle.ts";
import { MAY_BE_DUPLICATE } from "../core/repeats.ts";
import { shellWord } from "../core/rights.ts";
import { cut } from "../text/describe.ts";
import { headerText, plainText } from "../text/escape.ts";
import { utcMinute } from "../text/utc.ts";
import { clearedText, itemParts, itemTitle, LEVEL_NEWS } from "./item_facts.ts";

/** Longest text of a fact; a row may hold any length. */
const MAX_FACT = 300;

/** The lists of a bundle under their headings, how many events each has, and those that it shows. */
export function listsOf(bundle: Bundle) {
  const { ended, already } = clearedCounts(bundle);
  const { fresh, continuing, cleared, freshCount, continuingCount } = bundle;
  return [
    { name: "NEW", count: freshCount, listed: fresh },
    { name: "CONTINUING", count: continuingCount, listed: continuing },
    { name: "CLEARED", count: ended, listed: cleared.filter(isEnded) },
    { name: "ALREADY CLEARED", count: already, listed: cleared.filter((item) => !isEnded(item)) },
  ] as const;
}

const COLOURS = {
  NEW: "#c0392b",
  CONTINUING: "#e0a030",
  CLEARED: "#2e8b57",
  "ALREADY CLEARED": "#888888",
} as const;

/**
 * How many of the cleared events had been notified before, and how many had not. Those that are not listed count
 * as listed ones do; as the latter if both are listed.
 */
function clearedCounts({ cleared, clearedCount }: Bundle) {
  const listed = cleared.filter(isEnded).length;
  const ended = listed > 0 && listed === cleared.length ? clearedCount : listed;
  return { ended, already: clearedCount - ended };
}

/** Whether it had been notified before it cleared. */
function isEnded({ reason }: ListedItem): boolean {
  return reason !== "cleared before it could be mailed";
}

/** The counts in the words of the contract, how many notified events have cleared, and what else is news. */
export function countsOf(bundle: Bundle, entryId: string): string {
  const { freshCount: fresh, continuingCount: continuing } = bundle;
  const news = LEVEL_NEWS.filter((news) => bundle.continuing.some(({ reason }) => reason === news));
  const more = [...news, ...(isFinal(bundle) ? ["FINAL reminder"] : [])].map((each) => `, ${each}`);
  const counts = { fresh, continuing, ...clearedCounts(bundle) };
  return [bundleSubject(entryId, counts), ...more].join("");
}

/** Whether it is about events alone of which nothing more will be said. */
function isFinal({ continuing, freshCount, continuingCount, clearedCount }: Bundle): boolean {
  const finals = continuing.filter(({ reminder }) => reminder?.isFinal === true).length;
  return finals > 0 && finals === freshCount + continuingCount + clearedCount;
}

/** The events of a mail, under headings. */
export function sectionsOf(bundle: Bundle, alarm: string) {
  const list = `bin/swf-alarms event list --alarm ${shellWord(alarm)} --limit 0`;
  let number = 0;
  const found = listsOf(bundle).map(({ name, count, listed }) => {
    const isFiring = name === "NEW" || name === "CONTINUING";
    const where = isFiring
      ? `List what is firing: ${list}`
      : `List cleared events too: ${list} --all`;
    const items = listed.map((item, index) => ({
      number: number + index + 1,
      subject: itemTitle(item),
      label: label(item, bundle),
      body: bodyOf(item),
    }));
    number += count;
    const more = count - listed.length;
    return {
      heading: `${name} (${count})`,
      colour: COLOURS[name],
      items,
      rest: more > 0 ? `… and ${more} more, not listed here. ${where}` : "",
    };
  });
  return found.filter(({ items, rest }) => items.length > 0 || rest !== "");
}

function label(item: ListedItem, bundle: Bundle): string {
  const today = utcMinute(bundle.time).replace(/ .*/, " ");
  const at = (time: number): string => {
    const shown = utcMinute(time);
    return shown.startsWith(today) ? shown.slice(today.length) : shown;
  };
  const parts = [...itemParts(item, at), ...lateness(item, bundle, at)];
  return parts.length === 0 ? "" : ` (${parts.map(oneLine).join("; ")})`;
}

/** An event that is notified late says since when it fires. */
function lateness(
  { reason, fireTime, mayBeDuplicate }: ListedItem,
  bundle: Bundle,
  at: (time: number) => string,
): readonly string[] {
  if (mayBeDuplicate) return [MAY_BE_DUPLICATE];
  if (reason !== "unsent") return [];
  const first = bundle.mayBeDuplicate ? "" : ", first notification";
  return [`firing since ${at(fireTime)}${first}`];
}

function bodyOf(item: ListedItem): string {
  const body = plainText(item.body).trimEnd();
  const cleared = clearedText(item);
  if (cleared === undefined) return body;
  return body === "" ? oneLine(cleared) : `${oneLine(cleared)}\n${body}`;
}

function oneLine(fact: string): string {
  return headerText(cut(fact, MAX_FACT));
}
