import { describe, expect, test } from "vitest";
import type { ActiveEvent } from "../../src/core/model.ts";
import { decideNotice, isDue, type NoticeFacts } from "../../src/core/notice.ts";
import type { Plan } from "../../src/core/reconcile.ts";

const NOW = 1_000_000;
const HOUR = 3600;

function event(dedupeKey: string, lastNotified: number | undefined): ActiveEvent {
  return { id: `id of ${dedupeKey}`, dedupeKey, fireTime: 0, lastNotified };
}

function touched(key: string, lastNotified: number | undefined): Plan["touch"][number] {
  return { event: event(key, lastNotified), reason: "still detected" };
}

function kept(key: string, lastNotified: number | undefined): Plan["keep"][number] {
  return { event: event(key, lastNotified), reason: "outcome is partial" };
}

const NOTHING: Plan = { open: [], touch: [], clear: [], keep: [] };

/** Facts of a tick in which a mail would go out if there were anything to say. */
function facts(plan: Partial<Plan>, changes: Partial<NoticeFacts> = {}): NoticeFacts {
  return {
    alarm: { enabled: true, renotificationHours: 24 },
    plan: { ...NOTHING, ...plan },
    opened: [],
    unsentClears: [],
    recipientCount: 1,
    mailConfigured: true,
    mode: "tick",
    now: NOW,
    ...changes,
  };
}

function every(hours: number): Partial<NoticeFacts> {
  return { alarm: { enabled: true, renotificationHours: hours } };
}

const OPENED = { opened: [{ id: "id of n", dedupeKey: "n" }] };

const OVER = { id: "id of a", dedupeKey: "a", fireTime: 100, clearTime: 400 };

describe("which events the mail names, and why", () => {
  const rows: readonly [string, NoticeFacts, string][] = [
    ["an event opened now is new", facts({}, OPENED), "new: n"],
    ["one that was never mailed is owed", facts({ touch: [touched("a", undefined)] }), "unsent: a"],
    [
      "it is owed also where one mail per event is enough",
      facts({ touch: [touched("a", undefined)] }, every(0)),
      "unsent: a",
    ],
    [
      "it is owed also where this tick could not see it",
      facts({ keep: [kept("a", undefined)] }),
      "unsent: a",
    ],
    [
      "a mailed one is due when the hours are over",
      facts({ touch: [touched("a", NOW - 25 * HOUR)] }),
      "renotification due: a",
    ],
    [
      "it is due at the very second",
      facts({ touch: [touched("a", NOW - 24 * HOUR)] }),
      "renotification due: a",
    ],
    [
      "it is not due a second before",
      facts({ touch: [touched("a", NOW - 24 * HOUR + 1)] }),
      "omitted: renotification not due",
    ],
    [
      "parts of an hour count",
      facts({ touch: [touched("a", NOW - 0.5 * HOUR)] }, every(0.5)),
      "renotification due: a",
    ],
    [
      "without hours one mail per event is enough",
      facts({ touch: [touched("a", 0)] }, every(0)),
      "omitted: already mailed",
    ],
    [
      "hours below zero mean the same",
      facts({ touch: [touched("a", 0)] }, every(-1)),
      "omitted: already mailed",
    ],
    [
      "mailed at second zero is mailed",
      facts({ touch: [touched("a", 0)] }, { ...every(1), now: HOUR - 1 }),
      "omitted: renotification not due",
    ],
    [
      "a mailed one that this tick could not see is not said to go on",
      facts({ keep: [kept("a", NOW - 100 * HOUR)] }),
      "omitted: not seen this tick",
    ],
    [
      "a mail five minutes ahead may be that of another host, and counts as just sent",
      facts({ touch: [touched("a", NOW + 300)] }),
      "omitted: renotification not due",
    ],
    [
      "a mail further ahead than that is due: its clock was wrong",
      facts({ touch: [touched("a", NOW + 301)] }),
      "renotification due: a",
    ],
    [
      "so is one five years ahead",
      facts({ touch: [touched("a", NOW + 5 * 365 * 24 * HOUR)] }),
      "renotification due: a",
    ],
    [
      "one that clears unmailed is reported as over",
      facts({ clear: [{ event: event("a", undefined), reason: "no longer detected" }] }),
      "cleared before it could be mailed: a",
    ],
    [
      "one that clears after its mail is not named",
      facts({ clear: [{ event: event("a", 0), reason: "no longer detected" }] }),
      "",
    ],
    [
      "one that clears while mail is off is not owed",
      facts(
        { clear: [{ event: event("a", undefined), reason: "no longer detected" }] },
        { alarm: { enabled: false, renotificationHours: 24 } },
      ),
      "",
    ],
    [
      "what cleared in an earlier tick is still owed, and comes first",
      facts(
        { clear: [{ event: event("b", undefined), reason: "no longer detected" }] },
        { unsentClears: [OVER] },
      ),
      "cleared before it could be mailed: a; cleared before it could be mailed: b",
    ],
    [
      "it stays owed while mail is off",
      facts({}, { unsentClears: [OVER], alarm: { enabled: false, renotificationHours: 24 } }),
      "cleared before it could be mailed: a",
    ],
  ];
  test.each(rows)("%s", (_, given, expected) => {
    const { fresh, continuing, cleared, omitted } = decideNotice(given);
    const told = [...fresh, ...continuing, ...cleared].map(
      ({ reason, dedupeKey }) => `${reason}: ${dedupeKey}`,
    );
    for (const [reason, count] of Object.entries(omitted)) {
      if (count > 0) told.push(`omitted: ${reason}`);
    }
    expect(told.join("; ")).toBe(expected);
  });

  test("new ones are apart from the others; what is left out is counted", () => {
    const notice = decideNotice(
      facts(
        {
          touch: [touched("a", undefined), touched("b", NOW - HOUR), touched("c", NOW - 30 * HOUR)],
          keep: [kept("d", undefined), kept("e", 0), kept("f", 0)],
        },
        OPENED,
      ),
    );
    expect(notice.fresh.map(({ eventId }) => eventId)).toEqual(["id of n"]);
    expect(notice.continuing.map(({ eventId }) => eventId)).toEqual([
      "id of a",
      "id of c",
      "id of d",
    ]);
    expect(notice.omitted).toEqual({
      "already mailed": 0,
      "renotification not due": 1,
      "not seen this tick": 2,
      "may have been mailed": 0,
    });
  });

  test.each([
    [
      "one that was never mailed counts the mails of a day, or since it fired",
      undefined,
      NOW - 24 * HOUR,
    ],
    ["a reminder counts those since the last confirmed one", NOW - 25 * HOUR, NOW - 25 * HOUR],
  ])("which mails may have named it already: %s", (_, lastNotified, since) => {
    const young = { ...event("a", lastNotified), fireTime: NOW - 5 };
    const { continuing } = decideNotice(
      facts({ touch: [{ event: young, reason: "still detected" }] }),
    );
    expect(continuing.map((item) => item.since)).toEqual([since]);
  });

  test("what is over says from when to when it was", () => {
    const gone = { event: event("b", undefined), reason: "no longer detected" as const };
    const { cleared } = decideNotice(facts({ clear: [gone] }, { unsentClears: [OVER] }));
    expect(cleared.map(({ fireTime, clearTime }) => [fireTime, clearTime])).toEqual([
      [100, 400],
      [0, NOW],
    ]);
  });

  test.each([
    ["one that was never mailed is due", undefined, 0, true],
    ["one that was mailed is not, where one mail is enough", NOW - 99 * HOUR, 0, false],
    ["one that was mailed long enough ago is", NOW - 24 * HOUR, 24, true],
    ["one that was mailed just now is not", NOW - 23 * HOUR, 24, false],
  ])("before it is detected: %s", (_, lastNotified, hours, due) => {
    expect(isDue(event("a", lastNotified), hours, NOW)).toBe(due);
  });
});

describe("whether the mail goes out", () => {
  const off = { alarm: { enabled: false, renotificationHours: 24 } };
  const rows: readonly [string, NoticeFacts, string][] = [
    ["with something to say it does", facts({}, OPENED), "due"],
    ["for an owed event alone it does", facts({ touch: [touched("a", undefined)] }), "due"],
    ["for a due renotification alone it does", facts({ touch: [touched("a", 0)] }), "due"],
    ["for what is over alone it does", facts({}, { unsentClears: [OVER] }), "due"],
    ["with nothing to say it does not", facts({}), "nothing to mail"],
    ["with nothing due it does not", facts({ touch: [touched("a", NOW)] }), "nothing to mail"],
    ["with mail off it does not", facts({}, { ...OPENED, ...off }), "mail is off"],
    ["in a dry run it does not", facts({}, { ...OPENED, mode: "dry-run" }), "dry run"],
    ["in a plan it does not", facts({}, { ...OPENED, mode: "plan" }), "plan only"],
    [
      "with nobody to mail it does not",
      facts({}, { ...OPENED, recipientCount: 0 }),
      "no recipients",
    ],
    [
      "without a mail service it does not",
      facts({}, { ...OPENED, mailConfigured: false }),
      "mail is not configured",
    ],
    [
      "nothing to say comes before every other reason",
      facts({}, { ...off, mode: "dry-run", recipientCount: 0, mailConfigured: false }),
      "nothing to mail",
    ],
    [
      "mail off comes before the mode: it is the alarm's own setting",
      facts({}, { ...OPENED, ...off, mode: "dry-run", recipientCount: 0, mailConfigured: false }),
      "mail is off",
    ],
    [
      "the mode comes before what is not set up",
      facts({}, { ...OPENED, mode: "dry-run", recipientCount: 0, mailConfigured: false }),
      "dry run",
    ],
    [
      "nobody to mail comes before the lack of a mail service",
      facts({}, { ...OPENED, recipientCount: 0, mailConfigured: false }),
      "no recipients",
    ],
  ];
  test.each(rows)("%s", (_, given, reason) => {
    const notice = decideNotice(given);
    expect({ reason: notice.reason, send: notice.send }).toEqual({
      reason,
      send: reason === "due",
    });
  });

  test("what would be mailed is worked out while mail is off, for the record", () => {
    const { fresh, send } = decideNotice(facts({}, { ...OPENED, ...off }));
    expect({ send, fresh: fresh.length }).toEqual({ send: false, fresh: 1 });
  });
});
