/** The channels of the suite. */
export const CHANNELS = ["email", "chat", "hook"] as const;
export type ChannelName = (typeof CHANNELS)[number];

/** An event as a message names it. */
export interface Named {
  readonly heading: string;
  readonly subject: string;
  /** Only a webhook has it. */
  readonly eventId?: string;
  readonly mayBeRepeat: boolean;
}

/** A message that a receiver took. */
export interface Received {
  readonly channel: ChannelName;
  /** The tick that sent it, whenever it came through. */
  readonly tick: number;
  /** Id of its notification. */
  readonly id: string;
  /** `alarm_<name>` */
  readonly alarm: string;
  readonly named: readonly Named[];
  /** Of a mail. */
  readonly text: string;
  /** Of a mail: the id that SES gave it. */
  readonly messageId: string | undefined;
  /** Whether the receiver closed the connection instead of answering. */
  readonly isLost: boolean;
}

type Content = Pick<Received, "alarm" | "named">;

const REPEAT = "may be a duplicate";
const MAIL = { heading: /^([A-Z][A-Z ]+) \(\d+\):$/, item: /^ {2}\[\d+\] (.*?)( \([^()]*\))?$/ };
const CHAT = { heading: /^\*\*([A-Z][A-Z ]+) \(\d+\)\*\*$/, item: /^\*\*(.+)\*\*( \([^()]*\))?$/ };

export function readMail(subject: string, text: string): Content {
  return { alarm: /^\[(\w+)\]/.exec(subject)?.[1] ?? subject, named: readLines(text, MAIL) };
}

/** Markdown with data that is escaped. */
export function readChat(markdown: string): Content {
  const text = markdown
    .replaceAll("\u200b", "")
    .replace(/\\(.)/g, "$1")
    .replace(/&(amp|lt|gt|#124);/g, (_, name) => ENTITIES.get(name) ?? "");
  return { alarm: /^#### \[(\w+)\]/.exec(text)?.[1] ?? text, named: readLines(text, CHAT) };
}

const ENTITIES = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["#124", "|"],
]);

function readLines(text: string, form: typeof MAIL): readonly Named[] {
  const named: Named[] = [];
  let heading = "";
  let isRepeat = false;
  for (const line of text.split("\n")) {
    const [, found] = form.heading.exec(line) ?? [];
    const [, subject, label = ""] = form.item.exec(line) ?? [];
    if (found !== undefined) heading = found;
    else if (heading === "") isRepeat ||= line.includes(REPEAT);
    else if (subject !== undefined)
      named.push({ heading, subject, mayBeRepeat: isRepeat || label.includes(REPEAT) });
  }
  return named;
}

interface HookItem {
  readonly event_id: string;
  readonly subject: string;
  readonly may_be_duplicate?: boolean;
}

export interface HookData {
  readonly alarm: string;
  readonly new: readonly HookItem[];
  readonly continuing: readonly HookItem[];
  readonly cleared: readonly HookItem[];
  readonly may_be_duplicate?: boolean;
}

export function readHookData(data: HookData): Content {
  const list = (heading: string, items: readonly HookItem[]): readonly Named[] =>
    items.map(({ event_id: eventId, subject, ...item }) => ({
      heading,
      subject,
      eventId,
      mayBeRepeat: (item.may_be_duplicate ?? data.may_be_duplicate) === true,
    }));
  const { alarm, continuing, cleared } = data;
  const named = [
    ...list("NEW", data.new),
    ...list("CONTINUING", continuing),
    ...list("CLEARED", cleared),
  ];
  return { alarm: `alarm_${alarm}`, named };
}
