import type { EventRow, History } from "./history.ts";
import { runOf } from "./history.ts";
import type { AcceptedMail } from "./mail_gate.ts";

/** An event that a mail names. */
export interface Mention {
  readonly mail: AcceptedMail;
  /** As the mail has it, with its heading, for a complaint. */
  readonly line: string;
  /** Undefined where no row is that event. */
  readonly event: EventRow | undefined;
}

/** Every event that every mail names, in order. */
export function mentions(history: History): readonly Mention[] {
  return history.mails.flatMap((mail) => {
    let heading = "";
    const found: Mention[] = [];
    for (const line of mail.text.split("\n")) {
      const [, name] = /^([A-Z][A-Z ]+) \(\d+\):$/.exec(line) ?? [];
      heading = name ?? heading;
      const [, subject] = /^ {2}\[\d+\] (\w+@\d+)/.exec(line) ?? [];
      if (subject === undefined) continue;
      const event = eventOf(history, mail, heading, subject);
      found.push({ mail, line: `${heading}: ${line.trim()}`, event });
    }
    return found;
  });
}

/**
 * A subject says in which tick it was seen. A new event and one that is over keep the one that they
 * fired with; an event that goes on is shown as the mail's own tick saw it.
 */
function eventOf(
  history: History,
  mail: AcceptedMail,
  heading: string,
  subject: string,
): EventRow | undefined {
  const own = history.events.filter(({ alarm }) => alarm === mail.alarm);
  const [key, seen] = subject.split("@");
  if (heading !== "CONTINUING" || Number(seen) !== mail.tick)
    return own.find((event) => event.subject === subject);
  const tick = history.ticks.find(({ number }) => number === mail.tick);
  const now = tick && runOf(history, tick)?.started;
  if (now === undefined) return undefined;
  return own.find(
    (event) =>
      event.key === key && event.fired < now && (event.cleared === null || event.cleared > now),
  );
}
