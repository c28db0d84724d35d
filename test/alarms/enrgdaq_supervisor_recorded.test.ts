import { describe, expect, test } from "vitest";
import { isJsonObject, type JsonObject } from "../../src/text/json.ts";
import { type DaqState, hasRecording, recorded, recordedLog } from "./enrgdaq_server.ts";
import { keysOf } from "./run_alarm.ts";
import { subjectsOf, watchDaq } from "./watch_daq.ts";

const ALARM = "enrgdaq_supervisor";

if (!hasRecording) console.log("skipped: no recorded ENRGDAQ beside this checkout");

describe.skipIf(!hasRecording)("on the recordings", () => {
  const LACK = "kind:DAQJobAlert";
  const seen = (name: string, id: string): string => {
    const row = recorded(name)[id];
    return isJsonObject(row) ? String(row.last_seen) : "";
  };

  test("the eight polls of a healthy DAQ report that it has no alert job, as its own log does, and nothing else", async () => {
    const { daq, look } = await watchDaq(ALARM, { window_minutes: 0.1 });
    const { daq_jobs } = recorded("11_status_det1_custom.http200");
    const jobs = Array.isArray(daq_jobs) ? daq_jobs.slice(0, 2) : [];
    for (const poll of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const main = recorded(`06_status_main_poll${poll}.http200`);
      const logs = recordedLog("07_logs_main.http200");
      daq.clients.set("daq-main", { lastSeen: `${poll}`, status: main, logs });
      // Its own status has the same counts. Its DAQJobHandleStats is not healthy: it crashes at first.
      const det1 = { ...main, daq_jobs: jobs };
      const errors = recordedLog("08_logs_det1.http200");
      daq.clients.set("daq-det1", { lastSeen: `${poll}`, status: det1, logs: errors });
      const outcome = await look(1000 + poll);
      expect(keysOf(outcome)).toEqual({ status: "complete", keys: [LACK] });
      expect([outcome.notes, outcome.scopes.size]).toEqual([[], 0]);
    }
  });

  test("the story of daq-det1: a crash loop, a job started by hand, its death", {
    timeout: 60_000,
  }, async () => {
    const { daq, look } = await watchDaq(ALARM, {});
    const set = (
      clients: string,
      main: string,
      det1: DaqState["status"],
      logs: readonly JsonObject[],
    ) => {
      daq.clients.set("daq-main", {
        lastSeen: seen(clients, "daq-main"),
        status: recorded(main),
        logs: recordedLog("07_logs_main.http200"),
      });
      daq.clients.set("daq-det1", { lastSeen: seen(clients, "daq-det1"), status: det1, logs });
    };
    const errors = recordedLog("08_logs_det1.http200");
    set(
      "01_clients.http200",
      "02_status_main.http200",
      recorded("03_status_det1.http200"),
      errors.slice(0, 1),
    );
    const crashing = await look(0);
    expect(subjectsOf(crashing)).toEqual([
      "DAQJobHandleStats of daq-det1 died, and is to be restarted at 2026-11-20T15:48:09.985665 (its local time)",
      expect.stringContaining("no client runs a DAQJobAlert job"),
    ]);

    set(
      "15_clients_det1_dead.http200",
      "06_status_main_poll8.http200",
      recorded("11_status_det1_custom.http200"),
      errors,
    );
    const custom = await look(11);
    expect(keysOf(custom).keys).toEqual(["client:daq-det1:errors", LACK]);
    expect(custom.detections[0]).toMatchObject({
      subject: "daq-det1 logged 4 errors in 20 min",
      body: expect.stringMatching(
        /^4 x Supervisor\(daq-det1\), the last at 2026-11-20T15:48:07\.896762/,
      ),
    });

    // Killed just now: its heartbeat is new, and it does not answer.
    const dead = "17_status_main_after_det1_dead.http200";
    daq.clients.set("daq-main", { lastSeen: "later", status: recorded(dead), logs: [] });
    daq.clients.set("daq-det1", { lastSeen: "its last", status: "dead", logs: errors });
    const died = await look(49);
    expect(keysOf(died).keys).toEqual(["client:daq-det1:contact", "client:daq-det1:errors", LACK]);
    expect(subjectsOf(died)[0]).toMatch(/^daq-det1 does not answer: .*5 s/);
    daq.clients.set("daq-main", { lastSeen: "later still", status: recorded(dead), logs: [] });
    expect(subjectsOf(await look(110))[0]).toMatch(/^daq-det1 has been silent for at least 61 s/);
  });
});
