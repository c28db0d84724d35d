import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeClient } from "../../src/source/client/alarm_client.ts";
import { writeAnswer } from "../../src/source/xmlrpc/write_answer.ts";
import { CLIENT_FACTS } from "../support/client_facts.ts";
import { openConfigured } from "../support/configured_source.ts";
import { startServer, type TestServer } from "../support/http_server.ts";

let server: TestServer;
let authorization: string | undefined;
beforeAll(async () => {
  server = await startServer((request, response) => {
    authorization = request.headers.authorization;
    response.end(writeAnswer("4.2.5"));
  });
});
afterAll(() => server.close());

async function callFor(settings: string) {
  const source = openConfigured(`kind = "xmlrpc"\n${settings}`, { LOGIN: "ann:pass" });
  const client = makeClient(
    { ...CLIENT_FACTS, sources: new Map([["box", source]]), now: 0, onIncomplete: () => {} },
    "box",
  );
  return await client.call("supervisor.getSupervisorVersion");
}

describe("an XML-RPC service", () => {
  test.each([
    ["", "/RPC2"],
    ["/", "/RPC2"],
    ["/RPC2", "/RPC2"],
    ["/RPC2/", "/RPC2/"],
    ["/api/xmlrpc.php", "/api/xmlrpc.php"],
  ])("with the path %j is called at %j", async (path, called) => {
    server.requests.length = 0;
    const outcome = await callFor(`base_url = "${server.url}${path}"`);
    expect(outcome).toMatchObject({ ok: true, value: "4.2.5" });
    expect(server.requests).toEqual([called]);
  });

  test("has the settings of any service over HTTP", async () => {
    await callFor(`base_url = "${server.url}"\nlogin_env = "LOGIN"\nmax_per_minute = 30`);
    expect(authorization).toBe("Basic YW5uOnBhc3M=");
    const wrong = `base_url = "${server.url}"\nca_file = "/no/ca.pem"\nlogin = "a:b"`;
    await expect(callFor(wrong)).rejects.toThrow("sources.box.login: unknown key");
  });
});
