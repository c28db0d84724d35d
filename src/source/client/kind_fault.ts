import type { Requester, SourceKindName } from "../requester.ts";

/** The methods of the client that read a source, by its kind. */
const METHODS = {
  http: ["get", "find", "pages", "request"],
  xmlrpc: ["call"],
  spool: ["pages"],
} as const satisfies { [kind in SourceKindName]: readonly string[] };

type Method = (typeof METHODS)[SourceKindName][number];

/** Why a method is none for a source; undefined if it is one. */
export function kindFault(
  method: Method,
  name: string,
  { kind }: Pick<Requester, "kind">,
): string | undefined {
  const methods: readonly Method[] = METHODS[kind];
  if (methods.includes(method)) return undefined;
  return `${method} is not for the source ${JSON.stringify(name)}, whose kind is "${kind}"; use ${methods.join(" or ")}`;
}
