import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lockFolder } from "../../src/store/folder_lock.ts";
import { only } from "../support/raw_entries.ts";
import { built, type Script, startScript } from "../support/script.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "swf-alarms-lock-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const folder = (): string => mkdtempSync(join(root, "f-"));

/** A process that takes the lock, tells how that went, and gives it back when it hears a line. */
function locker(path: string, patience: number): Script {
  return startScript(
    `import { lockFolder } from ${JSON.stringify(built("store/folder_lock.js"))};
     const result = await lockFolder(process.env.FOLDER, Number(process.env.PATIENCE));
     console.log(result.held ? "held" : "refused: " + result.holder);
     await hear();
     if (result.held) await result.lock.release();
     console.log("released");
     await hear();
     process.stdin.destroy();`,
    { FOLDER: path, PATIENCE: String(patience) },
  );
}

describe("lockFolder", () => {
  test("one process holds it, a second is told who; once it is given back the second gets it", async () => {
    const path = folder();
    const first = locker(path, 0);
    expect(await first.line()).toBe("held");
    expect(await lockFolder(path, 0)).toEqual({ held: false, holder: String(first.pid) });

    first.say("give it back");
    expect(await first.line()).toBe("released");
    const mine = await lockFolder(path, 0);
    expect(mine.held).toBe(true);
    const third = locker(path, 0);
    expect(await third.line()).toBe(`refused: ${process.pid}`);
    if (mine.held) await mine.lock.release();
    for (const script of [first, third]) script.kill("SIGKILL");
  });

  test("a holder that is killed leaves nothing behind", async () => {
    const path = folder();
    const holder = locker(path, 0);
    expect(await holder.line()).toBe("held");
    holder.kill("SIGKILL");
    await holder.ended;
    const mine = await lockFolder(path, 0);
    expect(mine.held).toBe(true);
    if (mine.held) await mine.lock.release();
  });

  test("a holder that forgets to give it back does not keep its process alive, and blocks nobody", async () => {
    const path = folder();
    const holder = startScript(
      `import { lockFolder } from ${JSON.stringify(built("store/folder_lock.js"))};
       console.log((await lockFolder(process.env.FOLDER, 0)).held);
       process.stdin.destroy();`,
      { FOLDER: path },
    );
    expect(await holder.ended).toEqual({ code: 0, stdout: "true\n", stderr: "" });
    const mine = await lockFolder(path, 0);
    expect(mine.held).toBe(true);
    if (mine.held) await mine.lock.release();
  });

  test("it waits for a holder that will be done soon", async () => {
    const path = folder();
    const holder = locker(path, 0);
    expect(await holder.line()).toBe("held");
    // Far more patience than the holder needs: only the holder decides when this goes on.
    const waiting = lockFolder(path, 600);
    holder.say("give it back");
    const mine = await waiting;
    expect(mine.held).toBe(true);
    if (mine.held) await mine.lock.release();
    holder.kill("SIGKILL");
  });

  test("of many that try at once exactly one gets it", async () => {
    const path = folder();
    const tries = await Promise.all(Array.from({ length: 10 }, () => lockFolder(path, 0)));
    const winner = only(tries.filter((result) => result.held));
    for (const result of tries) if (!result.held) expect(result.holder).toBe(String(process.pid));
    if (winner.held) await winner.lock.release();
  });

  test("many processes that wait their turn get it one after the other", async () => {
    const path = folder();
    const scripts = [1, 2, 3].map(() =>
      startScript(
        `import { lockFolder } from ${JSON.stringify(built("store/folder_lock.js"))};
         import { rmdirSync, mkdirSync } from "node:fs";
         for (let round = 0; round < 3; round++) {
           const result = await lockFolder(process.env.FOLDER, 600);
           // Fails where another is inside at the same time.
           mkdirSync(process.env.FOLDER + "/inside");
           rmdirSync(process.env.FOLDER + "/inside");
           await result.lock.release();
         }
         process.stdin.destroy();`,
        { FOLDER: path },
      ),
    );
    for (const script of scripts)
      expect(await script.ended).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("other folders do not matter, and a link to the folder is the folder", async () => {
    const path = folder();
    const link = join(root, "link");
    symlinkSync(path, link);
    const mine = await lockFolder(path, 0);
    const other = await lockFolder(folder(), 0);
    expect([mine.held, other.held]).toEqual([true, true]);
    expect(await lockFolder(link, 0)).toEqual({ held: false, holder: String(process.pid) });
    expect(await lockFolder(`${path}/../${path.split("/").at(-1)}/`, 0)).toMatchObject({
      held: false,
    });
    for (const result of [mine, other]) if (result.held) await result.lock.release();
  });

  test("a holder that is too busy to answer still holds it", async () => {
    const path = folder();
    const holder = startScript(
      `import { lockFolder } from ${JSON.stringify(built("store/folder_lock.js"))};
       await lockFolder(process.env.FOLDER, 0);
       console.log("held");
       for (;;);`,
      { FOLDER: path },
    );
    expect(await holder.line()).toBe("held");
    expect(await lockFolder(path, 0)).toEqual({ held: false, holder: "unknown" });
    holder.kill("SIGKILL");
    await holder.ended;
  });
});
