import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { showProgress } from "../../src/cli/progress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const CLEAR = "\r\u001b[K";

function terminal(isTTY: boolean) {
  const written: string[] = [];
  const write = (text: unknown): boolean => written.push(String(text)) > 0;
  return { written, stream: { isTTY, write } };
}

test("a terminal shows nothing for two seconds, then one line that counts, and that ends with it", () => {
  const { written, stream } = terminal(true);
  let requests = 1;
  const progress = showProgress(() => requests, stream);
  vi.advanceTimersByTime(1_999);
  expect(written).toEqual([]);
  vi.advanceTimersByTime(1);
  const line = (seconds: number, count: number) =>
    `${CLEAR}detect has been running for ${seconds} s; ${count} request(s) so far`;
  expect(written).toEqual([line(2, 1)]);
  requests = 7;
  vi.advanceTimersByTime(1_000);
  expect(written).toEqual([line(2, 1), line(3, 7)]);
  progress.clear();
  progress.end();
  vi.advanceTimersByTime(10_000);
  expect(written).toEqual([line(2, 1), line(3, 7), CLEAR]);
});

test("what ends within two seconds leaves nothing on the terminal", () => {
  const { written, stream } = terminal(true);
  const progress = showProgress(() => 0, stream);
  vi.advanceTimersByTime(1_999);
  progress.clear();
  progress.end();
  vi.advanceTimersByTime(10_000);
  expect(written).toEqual([]);
});

test("what is no terminal gets nothing", () => {
  const { written, stream } = terminal(false);
  const progress = showProgress(() => 0, stream);
  vi.advanceTimersByTime(10_000);
  progress.end();
  expect(written).toEqual([]);
});
