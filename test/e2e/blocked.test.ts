import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { only } from "../support/rows.ts";

/** A named pipe that nobody writes stands for a file system that never answers. */
const canMakePipe = spawnSync("mkfifo", ["--version"]).status === 0;

test.skipIf(!canMakePipe)(
  "a file of credentials that is never read to its end does not keep the process",
  async () => {
    const site = await busySite({});
    const pipe = join(site.folder, "credentials");
    spawnSync("mkfifo", [pipe]);
    const env = { AWS_SHARED_CREDENTIALS_FILE: pipe, AWS_ACCESS_KEY_ID: "" };
    const { code, stderr } = await site.command(["run"], { env });
    expect(stderr).toMatch(
      /^swf-alarms: things: mail not sent: .*no AWS credentials: none within 10 s/,
    );
    // It could only be ended by force.
    expect(code).toBeNull();
    expect(only(await site.entries("engine_run")).data.finished_at).toEqual(expect.any(Number));
    expect(only(await site.entries("notification")).data.outcome).toBe("failed");
  },
);
