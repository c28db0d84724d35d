/** The name of one run of a service, whose serials restart with each; `run` has no colon. */
export function originOf(identifier: string, run: string): string {
  return `${identifier}:${run}`;
}

/** The service of an origin, whichever run. */
export function identifierOf(origin: string): string {
  return origin.slice(0, origin.lastIndexOf(":"));
}
