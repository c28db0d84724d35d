import { type Bundle, bySeverity } from "../core/bundle.ts";
import { listed } from "../core/delivery.ts";
import { alarmName, ENGINE } from "../core/event_key.ts";
import { MAY_BE_DUPLICATE } from "../core/repeats.ts";
import { shellWord } from "../core/rights.ts";
import { cut } from "../text/describe.ts";
import { escapeHtml, headerText, plainText } from "../text/escape.ts";
import { utcMinute } from "../text/utc.ts";
import { itemTitle, severityMark } from "./item_facts.ts";
import { countsOf, sectionsOf } from "./sections.ts";

/** A bundle as a mail: what a channel delivers. */
export interface Message {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Longest texts that a mail shows; a row or a service may hold any length. */
const LIMITS = { description: 10_000, caveat: 1_000, title: 300, recipient: 100 };
/** Longest subject that ends with that of an event. */
const MAX_SUBJECT = 120;

const TEST =
  "This is a test of a notification channel of swf-alarms. Nothing is wrong, and there is nothing to do.";
const REPEAT = `This notification ${MAY_BE_DUPLICATE}.`;

export function renderMessage(bundle: Bundle): Message {
  const entryId = headerText(cut(bundle.entryId, LIMITS.title));
  const parts = partsOf(bundle, alarmName(entryId));
  return toMessage(subjectOf(bundle, entryId), renderText(parts), renderHtml(parts));
}

/** A mail from its record, for recipients that it may not have reached. */
export function storedMessage(subject: string, stored: string, mayBeDuplicate: boolean): Message {
  const text = mayBeDuplicate ? `${REPEAT}\n\n${stored}` : stored;
  const pre = `<pre style="${STYLE.body}">${escapeHtml(plainText(text))}</pre>`;
  return toMessage(subject, text, pre);
}

function subjectOf(bundle: Bundle, entryId: string): string {
  if (bundle.isTest) return `[${entryId}] test of this channel; nothing is wrong`;
  const counts = countsOf(bundle, entryId);
  const firing = bySeverity([...bundle.fresh, ...bundle.continuing]);
  const [first] = [...firing, ...bundle.cleared];
  if (first === undefined) return counts;
  // The severity alone where the rest does not fit.
  const ends = [itemTitle(first), severityMark(first).replace(":", "")];
  const wholes = ends.flatMap((end) => (end === "" ? [] : [`${counts}: ${end}`]));
  return wholes.find(({ length }) => length <= MAX_SUBJECT) ?? counts;
}

type Parts = ReturnType<typeof partsOf>;

function partsOf(bundle: Bundle, alarm: string) {
  const openings = [bundle.isTest ? TEST : "", bundle.mayBeDuplicate ? REPEAT : ""];
  return {
    opening: openings.join(" ").trim(),
    description: plainText(cut(bundle.description, LIMITS.description)).trim(),
    sections: sectionsOf(bundle, alarm),
    notes: bundle.caveats.map((caveat) => `Note: ${plainText(cut(caveat, LIMITS.caveat))}`),
    footer: footerOf(bundle, alarm).join("\n"),
  };
}

function footerOf(bundle: Bundle, alarm: string): readonly string[] {
  const { title, time, to, own = [], isTest } = bundle;
  const names = (all: readonly string[]): string =>
    listed(all.map((each) => headerText(cut(each, LIMITS.recipient))));
  const who = names(to);
  if (isTest) return [`Sent to ${who} by bin/swf-alarms channel test, ${utcMinute(time)}.`];
  const set = `bin/swf-alarms alarm set ${shellWord(alarm)}`;
  const isMail = to.some((each) => each.includes("@"));
  const leaveOut = isMail
    ? `for yourself, leave your address out: ${set} --recipients …`
    : `on this channel, leave the channel out: ${set} --channel …`;
  const why = alarm === ENGINE ? "recipients of an alarm that it is about" : "named by its events";
  const others = own.length === 0 ? "" : ` Not in its own list, but ${why}: ${names(own)}.`;
  return [
    `${headerText(cut(title, LIMITS.title))} (${alarm}), tick of ${utcMinute(time)}.`,
    `Why you get this: the alarm notifies ${who}.${others}`,
    `To stop it ${leaveOut}`,
    `To stop it for everybody: ${set} --mail off`,
  ];
}

function renderText({ opening, description, sections, notes, footer }: Parts): string {
  const lines = opening === "" ? [] : [opening, ""];
  if (description !== "") lines.push(description, "", "---", "");
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

function renderHtml({ opening, description, sections, notes, footer }: Parts): string {
  const parts = opening === "" ? [] : [`<p>${escapeHtml(opening)}</p>`];
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
        `<div style="${STYLE.item} ${colour}"><strong>${escapeHtml(subject)}</strong>${escapeHtml(label)}${pre}</div>`,
      );
    }
    if (rest !== "") parts.push(`<p>${escapeHtml(rest)}</p>`);
  }
  for (const note of notes) parts.push(`<p>${escapeHtml(note)}</p>`);
  parts.push(`<p style="${STYLE.small};white-space:pre-wrap">${escapeHtml(footer)}</p>`);
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
