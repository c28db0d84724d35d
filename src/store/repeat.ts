import { setTimeout as sleep } from "node:timers/promises";
import { isConflict } from "./database_error.ts";

const REPEATS = 3;
const FIRST_PAUSE = 50;

/** Does the work again where other writers were in the way: the database kept nothing of it. */
export async function repeatConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let done = 0; ; done++) {
    try {
      return await work();
    } catch (error) {
      if (done === REPEATS || !isConflict(error)) throw error;
      await sleep(FIRST_PAUSE * 2 ** done);
    }
  }
}
