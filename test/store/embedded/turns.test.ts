import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Turns } from "../../../src/store/embedded/turns.ts";

/** A resource that says what happens to it. */
function resource() {
  const said: string[] = [];
  let count = 0;
  const turns = new Turns<number>(
    async () => {
      count += 1;
      said.push(`open ${count}`);
      return count;
    },
    async (opened) => {
      said.push(`close ${opened}`);
    },
  );
  return { turns, said };
}

/** Until it has been open so long that it is given to others. */
const TURN = 1_100;

test("opened at the first use, kept for the next, closed a second after the last", async () => {
  const { turns, said } = resource();
  expect(said).toEqual([]);
  expect(await Promise.all([turns.use(async (n) => n), turns.use(async (n) => n)])).toEqual([1, 1]);
  expect(await turns.use(async (n) => n)).toBe(1);
  expect(said).toEqual(["open 1"]);
  await expect.poll(() => said, { timeout: 10_000 }).toEqual(["open 1", "close 1"]);
  expect(await turns.use(async (n) => n)).toBe(2);
  await turns.close();
  expect(said).toEqual(["open 1", "close 1", "open 2", "close 2"]);
  await expect(turns.use(async (n) => n)).rejects.toThrow("closed");
});

test("never closed while work runs, however long that takes", async () => {
  const { turns, said } = resource();
  await turns.use(async () => {
    await sleep(TURN);
    turns.request();
    await sleep(TURN);
    expect(said).toEqual(["open 1"]);
  });
  await turns.close();
});

test("another process that asks gets it when the work at hand has ended; later work waits for the next opening", async () => {
  const { turns, said } = resource();
  const order: string[] = [];
  let end = (): void => {};
  const long = turns.use(async (n) => {
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    order.push(`long ${n}`);
  });
  await sleep(TURN);
  turns.request();
  turns.request();
  const later = turns.use(async (n) => {
    order.push(`later ${n}`);
  });
  end();
  await Promise.all([long, later]);
  expect(order).toEqual(["long 1", "later 2"]);
  expect(said).toEqual(["open 1", "close 1", "open 2"]);
  // Not at once again: it is open for a moment only.
  turns.request();
  await turns.use(async () => {});
  expect(said).toEqual(["open 1", "close 1", "open 2"]);
  await turns.close();
});

test("after work that fails, and after an opening that fails, it can be used again", async () => {
  let isBroken = true;
  const turns = new Turns<number>(
    async () => {
      if (isBroken) throw new Error("cannot open");
      return 1;
    },
    async () => {},
  );
  await expect(turns.use(async (n) => n)).rejects.toThrow("cannot open");
  isBroken = false;
  await expect(
    turns.use(async () => {
      throw new Error("work");
    }),
  ).rejects.toThrow("work");
  expect(await turns.use(async (n) => n)).toBe(1);
  await turns.close();
});

test("one that cannot be closed while idle is opened anew", async () => {
  let count = 0;
  const turns = new Turns<number>(
    async () => {
      count += 1;
      return count;
    },
    async (opened) => {
      if (opened === 1) throw new Error("cannot close");
    },
  );
  expect(await turns.use(async (n) => n)).toBe(1);
  await sleep(TURN + 300);
  expect(await turns.use(async (n) => n)).toBe(2);
  await turns.close();
});

test("closing what was never opened does nothing", async () => {
  const { turns, said } = resource();
  await turns.close();
  expect(said).toEqual([]);
});
