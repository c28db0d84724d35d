import { existsSync } from "node:fs";
import { BlockList } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { nullable, number, object, parse, string } from "valibot";
import type { OtherClock } from "../core/clock.ts";
import type { Queryable } from "./database.ts";

const ServerRow = object({
  time: number(),
  server: nullable(string()),
  client: nullable(string()),
});

/** The clock of a database server that is certainly on another machine; else none. */
export async function readServerClock(db: Queryable): Promise<readonly OtherClock[]> {
  const [row] = await db.query(
    `SELECT extract(epoch FROM clock_timestamp())::float8 AS time,
            host(inet_server_addr()) AS server, host(inet_client_addr()) AS client`,
  );
  const { time, server, client } = parse(ServerRow, row);
  const isCard = (name: string): boolean => existsSync(`/sys/class/net/${name}/device`);
  const isFar = isElsewhere(server ?? "", client ?? "", networkInterfaces(), isCard);
  return isFar ? [{ of: "the database server", time }] : [];
}

/**
 * Whether the server is on another machine, by the two addresses of the connection as it sees them; a socket file
 * has none. A container has the clock of its host, and seems to be another machine. So the engine must come from
 * a network card, and the server's address must be neither this host's nor in a network without a card, such as
 * Docker's.
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
