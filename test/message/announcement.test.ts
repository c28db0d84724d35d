import { expect, test } from "vitest";
import { announceQuarantine, announceRecovery } from "../../src/core/announcement.ts";
import { renderAnnouncement } from "../../src/message/announcement.ts";

const NOW = 1_800_000_000;
const quarantine = { since: NOW, pause: 2, wait: 3, triedAt: NOW, lookedAt: NOW, notified: false };
const alarm = { entryId: "alarm_x", name: "x", title: "Title of x" };
const memory = {
  failures: 3,
  cause: "detect threw <b>Error</b>: a & b",
  fingerprint: "",
  quarantine,
  recovery: undefined,
};

test("a quarantine mail, word for word", () => {
  expect(renderAnnouncement(announceQuarantine(alarm, memory, quarantine), NOW).text).toBe(
    `The alarm "Title of x" (alarm_x) has failed 3 times in a row by its own fault, and is quarantined since 2027-01-15 08:00 UTC.

The last failure: detect threw <b>Error</b>: a & b

While it is not run, none of its events opens or clears.

It is tried again and again, at growing distances of at most six hours: next try in 3 ticks (by 2027-01-15 14:00 UTC at the latest). It is tried at once when its module file or its row changes, or with: bin/swf-alarms run --alarm x

One more mail will say that it runs again.

--
swf-alarms, tick of 2027-01-15 08:00 UTC. This mail is about the engine, not about an event.
`,
  );
});

test("what a module said is text: no markup, no header, no control character gets through", () => {
  const evil = {
    ...alarm,
    entryId: "alarm_x\r\nBcc: all@example.org",
    title: "<script>alert(1)</script>\u001b[31m",
  };
  const recovery = { since: NOW - 3600, until: NOW, notified: true };
  for (const announcement of [
    announceQuarantine(evil, memory, quarantine),
    announceRecovery(evil, memory, recovery),
  ]) {
    const { subject, text, html } = renderAnnouncement(announcement, NOW);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(text).not.toContain("\u001b");
    expect(html).not.toMatch(/<script|<b>|\u001b/);
    expect(html).toContain("&lt;b&gt;Error&lt;/b&gt;: a &amp; b");
  }
});

test("a text of any length is cut", () => {
  const long = { ...memory, cause: "x".repeat(100_000) };
  const { text } = renderAnnouncement(announceQuarantine(alarm, long, quarantine), NOW);
  expect(text.length).toBeLessThan(5_000);
});
