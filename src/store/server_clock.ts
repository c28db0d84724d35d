import { existsSync } from "node:fs";
import { BlockList } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import type { Queryable } from "./database.ts";

/** What the clock of a database server shows that is certainly on another machine; else undefined. */
export async function readServerClock(db: Queryable): Promise<number | undefined> {
  const [row] = await db.query(
    `SELECT extract(epoch FROM clock_timestamp())::float8 AS time,
            coalesce(host(inet_server_addr()), '') AS server, coalesce(host(inet_client_addr()), '') AS client`,
  );
  const [server, client] = [String(row?.server), String(row?.client)];
  const isCard = (name: string): boolean => existsSync(`/sys/class/net/${name}/device`);
  return isElsewhere(server, client, networkInterfaces(), isCard) ? Number(row?.time) : undefined;
}

/**
 * Whether the server is on another machine, by the two addresses of the connection as the server sees it. A
 * container shares the clock of its host, but looks like another machine. So the engine must come from a network
 * card, and the server's address must not be on this host, nor in a network without a card, such as Docker's.
 */
export function isElsewhere(
  server: string,
  client: string,
  interfaces: { readonly [name: string]: readonly NetworkInterfaceInfo[] | undefined },
  isCard: (name: string) => boolean,
): boolean {
  const here = new BlockList();
  let fromCard = false;
  for (const [name, addresses = []] of Object.entries(interfaces))
    for (const { address, family, cidr } of addresses) {
      const type = family === "IPv6" ? "ipv6" : "ipv4";
      here.addAddress(address, type);
      if (isCard(name)) fromCard ||= address === client;
      else here.addSubnet(address, Number(cidr?.split("/")[1] ?? 0), type);
    }
  return fromCard && !here.check(server, server.includes(":") ? "ipv6" : "ipv4");
}
