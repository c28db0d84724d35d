import { type Bundle, bundleSubject, type ListedItem } from "../core/bundle.ts";
import { MAY_BE_DUPLICATE } from "../core/repeats.ts";
import { shellWord } from "../core/rights.ts";
import { headerText, plainText } from "../text/escape.ts";
import { utcMinute } from "../text/utc.ts";

/**
 * How many of the cleared events had been notified before, and how many had not. Those that are not listed count
 * as listed ones do; as the latter if both are listed.
 */
export function clearedCounts({ cleared, clearedCount }: Bundle) {
  const listed = cleared.filter(isEnded).length;
  const ended = listed > 0 && listed === cleared.length ? clearedCount : listed;
  return { ended, already: clearedCount - ended };
}

/** Whether it had been notified before it cleared. */
export function isEnded({ reason }: ListedItem): boolean {
  return reason !== "cleared before it could be mailed";
}

/** The counts in the words of the contract, and how many notified events have cleared. */
export function countsOf(bundle: Bundle, entryId: string): string {
  const { freshCount: fresh, continuingCount: continuing } = bundle;
  const { ended, already } = clearedCounts(bundle);
  const end = ended > 0 ? `, ${ended} cleared` : "";
  return bundleSubject(entryId, { fresh, continuing, cleared: already }) + end;
}

/** The events of a mail, under headings. */
export function sectionsOf(bundle: Bundle, alarm: string) {
  const { fresh, continuing, cleared, freshCount, continuingCount } = bundle;
  const counts = clearedCounts(bundle);
  const ended = cleared.filter(isEnded);
  const already = cleared.filter((item) => !isEnded(item));
  const list = `bin/swf-alarms event list --alarm ${shellWord(alarm)} --limit 0`;
  const firing = `List what is firing: ${list}`;
  const over = `List cleared events too: ${list} --all`;
  const all = [
    ["NEW", "#c0392b", freshCount, fresh, firing],
    ["CONTINUING", "#e0a030", continuingCount, continuing, firing],
    ["CLEARED", "#2e8b57", counts.ended, ended, over],
    ["ALREADY CLEARED", "#888888", counts.already, already, over],
  ] as const;
  let number = 0;
  const found = all.map(([name, colour, count, listed, where]) => {
    const items = listed.map((item, index) => ({
      number: number + index + 1,
      subject: headerText(item.subject),
      label: label(item, bundle),
      body: bodyOf(item),
    }));
    number += count;
    const more = count - listed.length;
    return {
      heading: `${name} (${count})`,
      colour,
      items,
      rest: more > 0 ? `… and ${more} more, not listed here. ${where}` : "",
    };
  });
  return found.filter(({ items, rest }) => items.length > 0 || rest !== "");
}

/** An event that is notified late says since when it fires. */
function label(item: ListedItem, { time: now, mayBeDuplicate }: Bundle): string {
  if (item.mayBeDuplicate) return ` (${MAY_BE_DUPLICATE})`;
  if (item.reason !== "unsent") return "";
  const [date, ...time] = utcMinute(item.fireTime).split(" ");
  const isToday = utcMinute(now).startsWith(`${date} `);
  const first = mayBeDuplicate ? "" : ", first notification";
  return ` (firing since ${[...(isToday ? [] : [date]), ...time].join(" ")}${first})`;
}

function bodyOf(item: ListedItem): string {
  const body = plainText(item.body).trimEnd();
  if (item.clearTime === undefined) return body;
  const times = `fired ${utcMinute(item.fireTime)}, cleared ${utcMinute(item.clearTime)}`;
  return body === "" ? times : `${times}\n${body}`;
}
