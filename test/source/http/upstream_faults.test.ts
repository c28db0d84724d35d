import { afterAll, test } from "vitest";
import { makeClient } from "../../../src/source/client/alarm_client.ts";
import { FetchError } from "../../../src/source/fetch_error.ts";
import { CLIENT_FACTS } from "../../support/client_facts.ts";
import { startFaultyServer } from "../../support/faulty_server.ts";
import { closeSources, makeSource } from "../../support/sources.ts";
import { UPSTREAM_FAULTS } from "../../support/upstream_faults.ts";

const TOKEN = "t0p-s3cret-t0ken";

afterAll(closeSources);

// All at once, because the retries of each take seconds; each has a server and a source of its own.
test.concurrent.for(UPSTREAM_FAULTS)(
  "a service that $name: no complete outcome, and one line with the reason",
  async ({ misbehave, options, says, tries }, { expect, onTestFinished }) => {
    const server = await startFaultyServer(misbehave, options);
    onTestFinished(() => server.close());
    const source = makeSource({
      baseUrl: server.url,
      authorization: `Bearer ${TOKEN}`,
      timeout: 1,
    });
    const reasons: string[] = [];
    const client = makeClient({
      ...CLIENT_FACTS,
      sources: new Map([["main", source]]),
      now: 0,
      onIncomplete: (reason) => void reasons.push(reason),
    });
    const reading = (async () => {
      for await (const _item of client.pages("/things/"));
    })();
    await expect(reading).rejects.toThrow(FetchError);
    expect(reasons).toEqual([expect.stringMatching(says)]);
    expect(reasons[0]).toMatch(/^GET \/things\/[^\p{Cc}\p{Cf}]{1,390}$/u);
    expect(reasons[0]).not.toContain(TOKEN);
    // A service that breaks the connection at once may or may not have read the request.
    if (tries > 0) expect(server.requests).toHaveLength(tries);
    expect(source.counts.requests).toBeGreaterThan(0);
  },
);
