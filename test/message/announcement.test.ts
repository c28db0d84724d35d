import { expect, test } from "vitest";
import { type Announcement, quarantineNotice } from "../../src/core/announcement.ts";
import { renderAnnouncement } from "../../src/message/announcement.ts";

const NOW = 1_800_000_000;
const quarantine = { since: NOW, pause: 2, wait: 3, triedAt: NOW, lookedAt: NOW, notified: false };
const alarm = { entryId: "alarm_x", name: "x", title: "Title of x" };
const state = {
  failures: 3,
  cause: "detect threw <b>Error</b>: a & b",
  fingerprint: "",
  quarantine,
  recovery: undefined,
};

function noticeOf(...args: Parameters<typeof quarantineNotice>): Announcement {
  const notice = quarantineNotice(...args);
  if (notice === undefined) throw new Error("no mail is due");
  return notice;
}

test("a quarantine mail, word for word", () => {
  expect(renderAnnouncement(noticeOf(alarm, state), NOW).text).toBe(
    `The alarm "Title of x" (x) has failed 3 times in a row because of its own errors. It has been quarantined since 2027-01-15 08:00 UTC.

Last error: detect threw <b>Error</b>: a & b

While it does not run, its events neither open nor clear.

The engine tries it again at growing intervals of at most six hours: next try in 3 ticks (by 2027-01-15 14:00 UTC at the latest). It is tried at once when its module file or its row changes, or with: bin/swf-alarms run --alarm x

You will get one more mail when it runs again.

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
    noticeOf(evil, state),
    noticeOf(evil, { ...state, quarantine: undefined, recovery }),
  ]) {
    const { subject, text, html } = renderAnnouncement(announcement, NOW);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(text).not.toContain("\u001b");
    expect(html).not.toMatch(/<script|<b>|\u001b/);
    expect(html).toContain("&lt;b&gt;Error&lt;/b&gt;: a &amp; b");
  }
});

test("a text of any length is cut", () => {
  const long = { ...state, cause: "x".repeat(100_000) };
  const { text } = renderAnnouncement(noticeOf(alarm, long), NOW);
  expect(text.length).toBeLessThan(5_000);
});
