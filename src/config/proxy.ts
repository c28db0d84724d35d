import { BlockList, isIP } from "node:net";
import type { Environment } from "./config.ts";

/** Never behind a proxy, whose own machine and network these names would mean. */
const NEAR = "localhost 127.0.0.0/8 ::1 169.254.0.0/16 fe80::/10";

/**
 * The proxy that the environment sets for a URL, by the rules of curl. Adds to `faults` if the variable cannot
 * be used.
 */
export function proxyFor(target: string, env: Environment, faults: string[]): URL | undefined {
  const url = new URL(target);
  const [scheme = ""] = url.protocol.split(":");
  const names = [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`, "all_proxy", "ALL_PROXY"];
  const name = names.find((each) => env[each] !== undefined) ?? "";
  const value = env[name]?.trim() ?? "";
  const direct = `${NEAR} ${env.no_proxy ?? env.NO_PROXY ?? ""}`.toLowerCase().split(/[\s,]+|%\w*/);
  if (value === "" || direct.some((entry) => covers(entry, url))) return undefined;
  try {
    const proxy = new URL(value.includes("://") ? value : `http://${value}`);
    decodeURIComponent(proxy.username + proxy.password);
    // A path is the rest of a password that is not percent-encoded.
    const rest = proxy.pathname + proxy.search + proxy.hash;
    if (/^https?:$/.test(proxy.protocol) && rest === "/") return proxy;
  } catch {}
  const [found = ""] = /^\w+:\/\//.exec(value) ?? [];
  const fault = `the environment variable ${name}: must be a URL such as "http://proxy.example:3128", found "${found}…"`;
  if (!faults.includes(fault)) faults.push(fault);
  return undefined;
}

/** Whether an entry of $NO_PROXY names the host: itself, its domain, address or network, with or without a port. */
function covers(entry: string, { protocol, hostname, port }: URL): boolean {
  const host = hostname.replace(/^\[|[\].]$/g, "");
  const parts = /^\[?(.*?)\]?(?:\/(\d+))?(?::(\d+))?$/.exec(entry) ?? [];
  const [, name = "", bits = "128", only] = isIP(entry) ? [entry, entry] : parts;
  if (only !== undefined && only !== (port || (protocol === "https:" ? "443" : "80"))) return false;
  const domain = name.replace(/^\*?\.|\.$/g, "");
  if (!isIP(name)) return entry === "*" || (domain !== "" && `.${host}`.endsWith(`.${domain}`));
  const family = (address: string) => (isIP(address) === 4 ? "ipv4" : "ipv6");
  const network = new BlockList();
  network.addSubnet(name, Math.min(Number(bits), isIP(name) === 4 ? 32 : 128), family(name));
  return isIP(host) !== 0 && network.check(host, family(host));
}
