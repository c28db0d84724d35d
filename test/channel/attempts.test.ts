import { expect, test } from "vitest";
import { ATTEMPTS, callPatiently } from "../../src/channel/attempts.ts";
import type { SesError } from "../../src/channel/ses_error.ts";
import { PATIENTLY } from "../support/mails.ts";

function failure(again: boolean): SesError {
  return {
    message: "SES Throttling: slow down",
    retryable: true,
    scope: "channel",
    mayBeDelivered: false,
    again,
    blamed: [],
  };
}

/** Calls that end like this, one after the other, and how many were made. */
function calls(...ends: readonly (SesError | undefined)[]) {
  const made = { count: 0 };
  const call = async (): Promise<SesError | undefined> => ends[made.count++];
  return { made, call };
}

test("a call that SES takes is made once", async () => {
  const { made, call } = calls(undefined);
  expect(await callPatiently(call, 0, PATIENTLY)).toBeUndefined();
  expect(made.count).toBe(1);
});

test("what may pass is tried again until it does", async () => {
  const { made, call } = calls(failure(true), failure(true), undefined);
  expect(await callPatiently(call, 0, PATIENTLY)).toBeUndefined();
  expect(made.count).toBe(3);
});

test("what SES may have taken, or would refuse again, is not tried again", async () => {
  const { made, call } = calls(failure(true), failure(false));
  expect(await callPatiently(call, 0, PATIENTLY)).toEqual(failure(false));
  expect(made.count).toBe(2);
});

test("what does not pass is given up", async () => {
  const { made, call } = calls(...Array.from({ length: 9 }, () => failure(true)));
  expect(await callPatiently(call, 0, PATIENTLY)).toEqual(failure(true));
  expect(made.count).toBe(ATTEMPTS);
});

test("when the time is over it waits no longer, and says what the last call said", async () => {
  const time = new AbortController();
  const { made, call } = calls(failure(true), undefined);
  const calling = callPatiently(call, 3_600_000, time.signal);
  setImmediate(() => time.abort());
  expect(await calling).toEqual(failure(true));
  expect(made.count).toBe(1);
});
