import type { Announcement } from "../core/announcement.ts";
import { cut } from "../text/describe.ts";
import { escapeHtml, headerText } from "../text/escape.ts";
import { utcMinute } from "../text/utc.ts";
import { type Message, STYLE, toMessage } from "./render.ts";

/** Longest texts that a mail shows; a module's message may have any length. */
const LIMITS = { subject: 300, paragraph: 2_000 };

/** Renders a mail about the engine itself; `time` is the tick's, in epoch seconds. */
export function renderAnnouncement(announcement: Announcement, time: number): Message {
  const paragraphs = announcement.paragraphs.map((text) => headerText(cut(text, LIMITS.paragraph)));
  const footer = `swf-alarms, tick of ${utcMinute(time)}. This mail is about the engine, not about an event.`;
  const html = paragraphs.map((text) => `<p style="white-space:pre-wrap">${escapeHtml(text)}</p>`);
  html.push(`<p style="${STYLE.small}">${escapeHtml(footer)}</p>`);
  const text = `${paragraphs.join("\n\n")}\n\n--\n${footer}\n`;
  return toMessage(cut(announcement.subject, LIMITS.subject), text, html.join("\n"));
}
