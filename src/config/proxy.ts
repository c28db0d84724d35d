import { BlockList, isIP } from "node:net";
import type { Environment } from "./config.ts";

/** Never behind a proxy, whose own machine and network these names would mean. */
const NEAR = ["localhost", "127.0.0.0/8", "::1", "169.254.0.0/16", "fe80::/10"];

/**
 * The proxy that the environment sets for a URL, by the rules of curl. Adds to `faults` if the variable cannot
 * be used.
 */
export function proxyFor(target: string, env: Environment, faults: string[]): URL | undefined {
  const url = new URL(target);
  const scheme = url.protocol.replace(":", "");
  const names = [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`, "all_proxy", "ALL_PROXY"];
  const name = names.find((each) => env[each] !== undefined) ?? "";
  const value = env[name]?.trim() ?? "";
  if (value === "" || isDirect(url, env.no_proxy ?? env.NO_PROXY ?? "")) return undefined;
  const proxy = parseProxy(value);
  if (proxy !== undefined) return proxy;
  const [found = ""] = /^\w+:\/\//.exec(value) ?? [];
  const fault = `the environment variable ${name}: must be a URL such as "http://proxy.example:3128", found "${found}…"`;
  if (!faults.includes(fault)) faults.push(fault);
  return undefined;
}

/** How undici connects through a proxy. Plain HTTP is not tunnelled: many a proxy refuses that. */
export function proxyOptions({ href: uri, username, password }: URL) {
  const login = decodeURIComponent(`${username}:${password}`);
  const token = `Basic ${Buffer.from(login).toString("base64")}`;
  return { uri, proxyTunnel: false, ...(login !== ":" && { token }) };
}

function parseProxy(value: string): URL | undefined {
  try {
    const proxy = new URL(value.includes("://") ? value : `http://${value}`);
    decodeURIComponent(proxy.username + proxy.password);
    // A path is the rest of a password that is not percent-encoded.
    const rest = proxy.pathname + proxy.search + proxy.hash;
    return /^https?:$/.test(proxy.protocol) && rest === "/" ? proxy : undefined;
  } catch {
    return undefined;
  }
}

/** Whether an entry of $NO_PROXY names the host: itself, its domain, address or network, with or without a port. */
function isDirect({ protocol, hostname, port }: URL, noProxy: string): boolean {
  const host = hostname.replace(/^\[|\]$|\.$/g, "");
  const usedPort = port || (protocol === "https:" ? "443" : "80");
  const entries = noProxy.toLowerCase().split(/[\s,]+/);
  return [...NEAR, ...entries].some((entry) => {
    if (entry === "*") return true;
    const { name, onlyPort } = parseEntry(entry);
    if (onlyPort !== undefined && onlyPort !== usedPort) return false;
    return isInDomain(host, name) || isInNetwork(host, name);
  });
}

/** `[fd00::1]:8443` and `10.0.0.0/8:443` have a port; `fd00::1` has none. A zone such as `%eth0` is left out. */
function parseEntry(entry: string): { name: string; onlyPort: string | undefined } {
  const [address = ""] = entry.split("/");
  if (isIP(address) === 6) return { name: entry.replace(/%\w*/, ""), onlyPort: undefined };
  const [, name = entry, onlyPort] = /^(.*):(\d+)$/.exec(entry) ?? [];
  return { name: name.replace(/^\[(.*)\]/, "$1"), onlyPort };
}

function isInDomain(host: string, name: string): boolean {
  const domain = name.replace(/^\*?\./, "").replace(/\.$/, "");
  return domain !== "" && `.${host}`.endsWith(`.${domain}`) && isIP(host) === 0;
}

function isInNetwork(host: string, name: string): boolean {
  const [address = "", bits] = name.split("/");
  if (isIP(host) === 0 || isIP(address) !== isIP(host)) return false;
  const [most, family] = isIP(address) === 4 ? ([32, "ipv4"] as const) : ([128, "ipv6"] as const);
  const network = new BlockList();
  network.addSubnet(address, Math.min(Number(bits ?? most), most), family);
  return network.check(host, family);
}
