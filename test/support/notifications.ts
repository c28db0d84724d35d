import { randomUUID } from "node:crypto";
import type { OpenNotification } from "../../src/core/notification.ts";
import type { NewNotification, NotificationResult } from "../../src/store/notifications.ts";
import { makeBundle, TICK } from "./bundles.ts";

/** An open notification that surely was not delivered, unless the test says otherwise. */
export function makeOpen(more: Partial<OpenNotification> = {}): OpenNotification {
  return {
    id: "5f0c7a52-0000-4000-8000-000000000002",
    channel: "email",
    state: "failed",
    to: ["@ops"],
    own: [],
    recipients: ["ann@h.example"],
    newEventIds: [],
    continuingEventIds: [],
    clearedEventIds: [],
    composedAt: TICK - 300,
    since: TICK - 300,
    notBefore: TICK - 300,
    attempts: 1,
    pending: [],
    refused: [],
    messageIds: [],
    unknown: undefined,
    error: "down",
    subject: "subject",
    text: "text",
    bundle: undefined,
    ...more,
  };
}

/** A mail of the alarm x before its first attempt. */
export function makeNew(more: Partial<NewNotification> = {}): NewNotification {
  return {
    id: randomUUID(),
    alarm: "alarm_x",
    runId: "run",
    channel: "email",
    type: "ses",
    composedAt: TICK,
    to: ["@ops"],
    own: [],
    recipients: ["ann@h.example", "bob@h.example"],
    newEventIds: [],
    continuingEventIds: [],
    clearedEventIds: [],
    subject: "subject",
    text: "text",
    bundle: makeBundle(),
    supersedes: [],
    unknownBefore: 0,
    ...more,
  };
}

/** The result of an attempt that reached all recipients. */
export const DELIVERED: NotificationResult = {
  state: "delivered",
  outcome: "delivered",
  refused: [],
  pending: [],
  givenUp: [],
  messageIds: [],
  unknown: undefined,
  notBefore: undefined,
  error: undefined,
  retryable: undefined,
};
