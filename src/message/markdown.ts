import type { Bundle, ListedItem } from "../core/bundle.ts";
import { alarmName } from "../core/event_key.ts";
import { chatBlock, chatLine, chatText } from "../text/chat.ts";
import { cut } from "../text/describe.ts";
import { utcMinute } from "../text/utc.ts";
import { clearedText, itemParts, itemTitle } from "./item_facts.ts";
import type { Message } from "./render.ts";
import { countsOf, listsOf } from "./sections.ts";

const MAY_BE_DUPLICATE = "may be a duplicate: an earlier message may have been sent";

/** Longest texts from data. Escaping makes a text up to six times as long. */
const LIMITS = {
  title: 200,
  description: 600,
  subject: 300,
  fact: 200,
  body: 500,
  caveat: 200,
  caveats: 5,
};
/** Characters for `… and N more` of four sections. */
const RESERVE = 300;

/** A bundle as Markdown for a chat, at most `limit` characters. What does not fit is counted. */
export function chatMessage(bundle: Bundle, limit: number): string {
  const entryId = cut(bundle.entryId, LIMITS.title);
  const head = [`#### ${chatLine(countsOf(bundle, entryId))}`];
  if (bundle.isTest) head.push("**This is a test of the channel.**");
  if (bundle.mayBeDuplicate) head.push(`**This message ${MAY_BE_DUPLICATE}.**`);
  if (bundle.description.trim() !== "")
    head.push(chatText(cut(bundle.description, LIMITS.description)));
  const caveats = bundle.caveats.slice(0, LIMITS.caveats);
  const title = chatLine(cut(bundle.title, LIMITS.title));
  const tail = [
    ...caveats.map((caveat) => `Note: ${chatLine(cut(caveat, LIMITS.caveat))}`),
    `${title} (${chatLine(alarmName(entryId))}), tick of ${utcMinute(bundle.time)}.`,
  ];
  let room = limit - RESERVE - [...head, ...tail].join("\n\n").length;
  const sections = listsOf(bundle).flatMap(({ name, count, listed }) => {
    if (count === 0) return [];
    const lines = [`**${name} (${count})**`];
    room -= name.length + 30;
    let shown = 0;
    for (const item of listed) {
      const text = renderItem(item);
      room -= text.length + 2;
      // Nothing after the first one that does not fit.
      if (room < 0) break;
      lines.push(text);
      shown += 1;
    }
    if (count > shown) lines.push(`… and ${count - shown} more`);
    return lines;
  });
  return [...head, ...sections, ...tail].join("\n\n");
}

/** A notification of which only the text of its mail is on record. */
export function storedChatMessage({ subject, text }: Message, limit: number): string {
  const head = `#### ${chatLine(cut(subject, LIMITS.title))}`;
  return `${head}\n\n${chatBlock(cut(text, Math.floor((limit - head.length - 20) / 2)))}`;
}

function renderItem(item: ListedItem): string {
  const { fireTime, body } = item;
  const parts = [
    ...(item.mayBeDuplicate ? [MAY_BE_DUPLICATE] : []),
    ...(item.reason === "unsent" ? [`firing since ${utcMinute(fireTime)}`] : []),
    ...itemParts(item, utcMinute),
    clearedText(item) ?? "",
  ];
  const facts = parts
    .filter((part) => part !== "")
    .map((part) => chatLine(cut(part, LIMITS.fact)))
    .join("; ");
  const label = facts === "" ? "" : ` (${facts})`;
  const first = `**${chatLine(cut(itemTitle(item), LIMITS.subject))}**${label}`;
  return body.trim() === "" ? first : `${first}\n${chatBlock(cut(body, LIMITS.body))}`;
}
