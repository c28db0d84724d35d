import fc from "fast-check";
import { expect, test } from "vitest";
import * as host from "../../alarms/host_resources.ts";
import { parseCpuTimes, parseProcess } from "../../alarms/lib/proc.ts";
import { detect } from "./alarm_runs.ts";
import { anyJson, anyText } from "./arbitraries.ts";
import { runs } from "./runs.ts";

test("what /proc may say: counts, or nothing", () => {
  const line = fc.array(fc.oneof(fc.integer({ min: 0 }).map(String), anyText), { maxLength: 12 });
  fc.assert(
    fc.property(line, anyText, anyText, (fields, text, cmdline) => {
      const times = parseCpuTimes(`cpu  ${fields.join(" ")}\n`);
      if (times !== null) expect(times.busy).toBeLessThanOrEqual(times.total);
      const status = `Name:\t${text}\nPid:\t7\nPPid:\t1\nVmRSS:\t${fields[0]} kB\n`;
      const process = parseProcess(status, cmdline);
      if (process !== null) expect(process.rss).toBeGreaterThanOrEqual(0);
    }),
    runs(5),
  );
});

test("the resources of a host, whatever was remembered: no reason, and at most one CPU", async () => {
  const limits = [{ what: "cpu", above: 100, of: undefined, severity: undefined }];
  await fc.assert(
    fc.asyncProperty(anyJson, async (value) => {
      const seen = await detect(
        (client) => host.detect(client, { limits, supervisor: undefined }),
        () => undefined,
        value,
      );
      expect(seen).toEqual({ keys: [], reasons: [] });
    }),
    runs(20),
  );
});
