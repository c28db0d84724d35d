import { httpKind } from "./http/http_kind.ts";

/** An XML-RPC service. All its calls are sent to one address, whose path is `/RPC2` almost everywhere. */
export const xmlrpc = httpKind("xmlrpc", (baseUrl) =>
  new URL(baseUrl).pathname === "/" ? new URL("/RPC2", baseUrl).href : baseUrl,
);
