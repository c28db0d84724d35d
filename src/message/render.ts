import { type Bundle, bundleSubject, type ListedClear, type ListedItem } from "../core/bundle.ts";
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

/** Renders the alarm's one mail of a tick. */
export function renderMessage(given: Bundle): Message {
  const bundle = {
    ...given,
    entryId: headerText(cut(given.entryId, LIMITS.title)),
    title: headerText(cut(given.title, LIMITS.title)),
    description: plainText(cut(given.description, LIMITS.description)).trim(),
    caveats: given.caveats.map((caveat) => plainText(cut(caveat, LIMITS.caveat))),
  };
  return {
    subject: headerText(
      bundleSubject(bundle.entryId, {
        fresh: bundle.freshCount,
        continuing: bundle.continuingCount,
        cleared: bundle.clearedCount,
      }),
    ),
    text: renderText(bundle),
    html: renderHtml(bundle),
  };
}

/** A mail from its record, for those that it has not reached. */
export function storedMessage(subject: string, text: string): Message {
  const pre = `<pre style="${STYLE.body}">${escapeHtml(plainText(text))}</pre>`;
  return { subject: headerText(subject), text, html: htmlPage(pre) };
}

interface Section {
  readonly heading: string;
  readonly colour: string;
  readonly items: readonly (ListedItem | ListedClear)[];
  /** How many more there are than the mail lists. */
  readonly unlisted: number;
  readonly first: number;
}

function sections(bundle: Bundle): readonly Section[] {
  const all: Section[] = [
    {
      heading: `NEW (${bundle.freshCount})`,
      colour: "#c0392b",
      items: bundle.fresh,
      unlisted: bundle.freshCount - bundle.fresh.length,
      first: 1,
    },
    {
      heading: `CONTINUING (${bundle.continuingCount})`,
      colour: "#e0a030",
      items: bundle.continuing,
      unlisted: bundle.continuingCount - bundle.continuing.length,
      first: bundle.freshCount + 1,
    },
    {
      heading: `CLEARED BEFORE IT COULD BE MAILED (${bundle.clearedCount})`,
      colour: "#888888",
      items: bundle.cleared,
      unlisted: bundle.clearedCount - bundle.cleared.length,
      first: bundle.freshCount + bundle.continuingCount + 1,
    },
  ];
  return all.filter((section) => section.items.length + section.unlisted > 0);
}

function renderText(bundle: Bundle): string {
  const lines: string[] = [];
  if (bundle.description !== "") lines.push(bundle.description, "", "---", "");
  for (const section of sections(bundle)) {
    lines.push(`${section.heading}:`, "");
    for (const [index, item] of section.items.entries()) {
      lines.push(`  [${section.first + index}] ${headerText(item.subject)}${label(item)}`);
      lines.push(...indented(detail(item)));
      lines.push("");
    }
    if (section.unlisted > 0) lines.push(`  … and ${section.unlisted} more, not listed here.`, "");
  }
  for (const caveat of bundle.caveats) lines.push(`Note: ${caveat}`);
  lines.push(...(bundle.caveats.length > 0 ? [""] : []), "--", footer(bundle), "");
  return lines.join("\n");
}

function indented(text: string): string[] {
  if (text === "") return [];
  return text.split("\n").map((line) => (line === "" ? "" : `      ${line}`));
}

/** An event that is mailed late says so: it is no news, only its mail is. */
function label(item: ListedItem): string {
  if (item.mayBeDuplicate) return " (may repeat an earlier mail, whose fate is unknown)";
  return item.reason === "unsent" ? " (not mailed before)" : "";
}

/** What is over says from when to when it was. */
function detail(item: ListedItem | ListedClear): string {
  const body = plainText(item.body).trimEnd();
  if (!("clearTime" in item)) return body;
  const times = `fired ${utcMinute(item.fireTime)}, cleared ${utcMinute(item.clearTime)}`;
  return body === "" ? times : `${times}\n${body}`;
}

function footer(bundle: Bundle): string {
  return `${bundle.title} (${bundle.entryId}), tick of ${utcMinute(bundle.time)}. One mail per alarm and tick holds all its detections.`;
}

const STYLE = {
  page: "font-family:sans-serif;font-size:14px;color:#222;max-width:60em",
  heading: "font-size:15px;margin:1.2em 0 0.4em",
  item: "margin:0 0 0.8em;padding-left:0.8em;border-left:3px solid",
  body: "margin:0.3em 0 0;font-family:monospace;font-size:12px;white-space:pre-wrap",
  small: "color:#666;font-size:12px",
};

function renderHtml(bundle: Bundle): string {
  const parts: string[] = [];
  if (bundle.description !== "") {
    parts.push(`<p style="white-space:pre-wrap">${escapeHtml(bundle.description)}</p><hr>`);
  }
  for (const section of sections(bundle)) {
    parts.push(`<h2 style="${STYLE.heading}">${section.heading}</h2>`);
    for (const item of section.items) {
      const body = detail(item);
      const pre = body === "" ? "" : `<pre style="${STYLE.body}">${escapeHtml(body)}</pre>`;
      parts.push(
        `<div style="${STYLE.item} ${section.colour}"><strong>${escapeHtml(headerText(item.subject))}</strong>${label(item)}${pre}</div>`,
      );
    }
    if (section.unlisted > 0) parts.push(`<p>… and ${section.unlisted} more, not listed here.</p>`);
  }
  for (const caveat of bundle.caveats) parts.push(`<p>Note: ${escapeHtml(caveat)}</p>`);
  parts.push(`<p style="${STYLE.small}">${escapeHtml(footer(bundle))}</p>`);
  return htmlPage(parts.join("\n"));
}

function htmlPage(content: string): string {
  return `<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body style="${STYLE.page}">\n${content}\n</body></html>\n`;
}
