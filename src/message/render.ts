import { type Bundle, bundleSubject, type ListedItem } from "../core/bundle.ts";
import { alarmName } from "../core/event_key.ts";
import { MAY_BE_DUPLICATE } from "../core/repeats.ts";
import { shellWord } from "../core/rights.ts";
import { cut } from "../text/describe.ts";
import { escapeHtml, headerText, plainText } from "../text/escape.ts";
import { utcMinute } from "../text/utc.ts";

/** A bundle as a mail: what a channel delivers. */
export interface Message {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Longest texts that a mail shows; a row or a service may hold any length. */
const LIMITS = { description: 10_000, caveat: 1_000, title: 300 };

export function renderMessage(bundle: Bundle): Message {
  const entryId = headerText(cut(bundle.entryId, LIMITS.title));
  const { freshCount: fresh, continuingCount: continuing, clearedCount: cleared } = bundle;
  const parts = partsOf(bundle, alarmName(entryId));
  const subject = bundleSubject(entryId, { fresh, continuing, cleared });
  return toMessage(subject, renderText(parts), renderHtml(parts));
}

/** A mail from its record, for recipients that it may not have reached. */
export function storedMessage(subject: string, stored: string, mayBeDuplicate: boolean): Message {
  const text = mayBeDuplicate ? `This mail ${MAY_BE_DUPLICATE}.\n\n${stored}` : stored;
  const pre = `<pre style="${STYLE.body}">${escapeHtml(plainText(text))}</pre>`;
  return toMessage(subject, text, pre);
}

type Parts = ReturnType<typeof partsOf>;

function partsOf(bundle: Bundle, alarm: string) {
  const title = headerText(cut(bundle.title, LIMITS.title));
  return {
    description: plainText(cut(bundle.description, LIMITS.description)).trim(),
    sections: sectionsOf(bundle, alarm),
    notes: bundle.caveats.map((caveat) => `Note: ${plainText(cut(caveat, LIMITS.caveat))}`),
    footer: `${title} (${alarm}), tick of ${utcMinute(bundle.time)}. One mail per alarm and tick lists all its detections.`,
  };
}

function sectionsOf(bundle: Bundle, alarm: string) {
  const { fresh, continuing, cleared, freshCount, continuingCount, clearedCount } = bundle;
  const list = `bin/swf-alarms event list --alarm ${shellWord(alarm)} --limit 0`;
  const all = [
    ["NEW", "#c0392b", freshCount, fresh, `List what is firing: ${list}`],
    ["CONTINUING", "#e0a030", continuingCount, continuing, `List what is firing: ${list}`],
    ["ALREADY CLEARED", "#888888", clearedCount, cleared, `List cleared events too: ${list} --all`],
  ] as const;
  let number = 0;
  const found = all.map(([name, colour, count, listed, where]) => {
    const items = listed.map((item, index) => ({
      number: number + index + 1,
      subject: headerText(item.subject),
      label: label(item, bundle.time),
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

/** An event that is mailed late says since when it fires. */
function label(item: ListedItem, now: number): string {
  if (item.mayBeDuplicate) return ` (${MAY_BE_DUPLICATE})`;
  if (item.reason !== "unsent") return "";
  const [date, ...time] = utcMinute(item.fireTime).split(" ");
  const isToday = utcMinute(now).startsWith(`${date} `);
  return ` (firing since ${[...(isToday ? [] : [date]), ...time].join(" ")}, first mail)`;
}

function bodyOf(item: ListedItem): string {
  const body = plainText(item.body).trimEnd();
  if (item.clearTime === undefined) return body;
  const times = `fired ${utcMinute(item.fireTime)}, cleared ${utcMinute(item.clearTime)}`;
  return body === "" ? times : `${times}\n${body}`;
}

function renderText({ description, sections, notes, footer }: Parts): string {
  const lines = description === "" ? [] : [description, "", "---", ""];
  for (const { heading, items, rest } of sections) {
    lines.push(`${heading}:`, "");
    for (const { number, subject, label, body } of items) {
      const indented = body === "" ? [] : body.replace(/^(?=.)/gm, "      ").split("\n");
      lines.push(`  [${number}] ${subject}${label}`, ...indented, "");
    }
    if (rest !== "") lines.push(`  ${rest}`, "");
  }
  lines.push(...notes, ...(notes.length > 0 ? [""] : []), "--", footer, "");
  return lines.join("\n");
}

/** No colour of text or background: each mail program uses a pair of its own that can be read, light or dark. */
export const STYLE = {
  page: "font-family:sans-serif;font-size:15px;max-width:60em;overflow-wrap:anywhere;word-break:break-word",
  heading: "font-size:16px;margin:1.2em 0 0.4em",
  item: "margin:0 0 0.8em;padding-left:0.8em;border-left:3px solid",
  body: "margin:0.3em 0 0;font-family:monospace;font-size:13px;white-space:pre-wrap",
  small: "font-size:13px",
};

function renderHtml({ description, sections, notes, footer }: Parts): string {
  const parts: string[] = [];
  const preview = sections[0]?.items[0]?.subject ?? "";
  if (description !== "")
    parts.push(
      `<p style="display:none;mso-hide:all">${escapeHtml(preview)}</p>`,
      `<p style="white-space:pre-wrap">${escapeHtml(description)}</p><hr>`,
    );
  for (const { heading, colour, items, rest } of sections) {
    parts.push(`<h2 style="${STYLE.heading}">${heading}</h2>`);
    for (const { subject, label, body } of items) {
      const pre = body === "" ? "" : `<pre style="${STYLE.body}">${escapeHtml(body)}</pre>`;
      parts.push(
        `<div style="${STYLE.item} ${colour}"><strong>${escapeHtml(subject)}</strong>${label}${pre}</div>`,
      );
    }
    if (rest !== "") parts.push(`<p>${escapeHtml(rest)}</p>`);
  }
  for (const note of notes) parts.push(`<p>${escapeHtml(note)}</p>`);
  parts.push(`<p style="${STYLE.small}">${escapeHtml(footer)}</p>`);
  return parts.join("\n");
}

/** The content is HTML. Phones must not take the ids of tasks for telephone numbers. */
export function toMessage(subject: string, text: string, content: string): Message {
  const title = headerText(subject);
  const html = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no">
<title>${escapeHtml(title)}</title><style>:root { color-scheme: light dark }</style>
</head><body style="${STYLE.page}">
${content}
</body></html>
`;
  return { subject: title, text, html };
}
