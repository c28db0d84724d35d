import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, test } from "vitest";
import { isElsewhere, readServerClock } from "../../src/store/server_clock.ts";
import { DATABASES } from "../support/databases.ts";

function at(cidr: string, internal = false): NetworkInterfaceInfo {
  const [address = ""] = cidr.split("/");
  const common = { address, netmask: "", mac: "", internal, cidr };
  return address.includes(":")
    ? { ...common, family: "IPv6", scopeid: 0 }
    : { ...common, family: "IPv4" };
}

const LO = { lo: [at("127.0.0.1/8", true), at("::1/128", true)] };
const HOST = {
  ...LO,
  eth0: [at("192.168.1.5/24"), at("2001:db8::5/64")],
  docker0: [at("172.17.0.1/16")],
  "br-12ab": [at("172.18.0.1/16"), at("fd00:12::1/64")],
  wg0: undefined,
};
const CONTAINER = { ...LO, eth0: [at("172.18.0.3/16")] };

describe("a database server is on another machine", () => {
  const rows: readonly [string, boolean, string, string, object?][] = [
    ["in the same network", true, "192.168.1.9", "192.168.1.5"],
    ["in another network", true, "10.9.8.7", "192.168.1.5"],
    ["by IPv6", true, "2001:db8::9", "2001:db8::5"],
    ["behind a pooler on this host", true, "10.9.8.7", "192.168.1.5"],
    ["not by a socket file, nor embedded", false, "", ""],
    ["not on loopback", false, "127.0.0.1", "127.0.0.1"],
    ["not on IPv6 loopback", false, "::1", "::1"],
    ["not at this host's own address", false, "192.168.1.5", "192.168.1.5"],
    ["not at its own IPv6 address", false, "2001:db8::5", "2001:db8::5"],
    ["not in a container of this host", false, "172.17.0.2", "172.17.0.1"],
    ["not in one that is reached by a published port", false, "172.18.0.2", "192.168.1.5"],
    ["not in one that is reached by IPv6", false, "fd00:12::2", "2001:db8::5"],
    ["not where it sees another client: a proxy, or NAT", false, "10.0.2.100", "10.0.2.2"],
    ["not from a container", false, "172.18.0.2", "172.18.0.3", CONTAINER],
    ["not from a container to its host", false, "192.168.1.5", "172.18.0.3", CONTAINER],
    ["not from a container to any host", false, "10.9.8.7", "172.18.0.3", CONTAINER],
  ];
  test.each(rows)("%s", (_, expected, server, client, interfaces = HOST) => {
    const isCard = (name: string) => name === "eth0" && interfaces === HOST;
    expect(isElsewhere(server, client, { ...interfaces }, isCard)).toBe(expected);
  });

  test("an interface without a known network counts as everywhere", () => {
    const unknown = { ...HOST, tun0: [{ ...at("10.1.1.1/24"), cidr: null }] };
    const isCard = (name: string) => name === "eth0";
    expect(isElsewhere("10.9.8.7", "192.168.1.5", unknown, isCard)).toBe(false);
  });
});

test.each(DATABASES)("neither an embedded one nor one on this host: $kind", async ({ open }) => {
  const db = await open();
  expect(await readServerClock(db)).toBeUndefined();
  await db.close();
});
