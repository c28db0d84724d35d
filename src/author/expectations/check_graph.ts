import { SEVERITIES } from "../../core/level.ts";
import { quote } from "../../text/describe.ts";
import { suggestion } from "../../text/nearest.ts";
import type { Expectation, Graph } from "./expectation.ts";

/** What is wrong with a graph, each fault with the name of its expectation; empty if nothing is. */
export function checkGraph<W>({ expectations, stages = [] }: Graph<W>): string[] {
  const names = expectations.map(({ name }) => name);
  const faults = expectations.flatMap((expectation, index) => {
    const { name } = expectation;
    const own = faultsOf(expectation, names, stages);
    const isRepeated = names.indexOf(name) < index;
    return isRepeated ? [...own, `${quote(name)} is repeated; give each its own name`] : own;
  });
  const cycle = findCycle(expectations);
  return cycle === undefined
    ? faults
    : [...faults, `${cycle.map(quote).join(" after ")} is a cycle; remove one of these`];
}

function faultsOf<W>(
  { name, within, after = [], severity, stage }: Expectation<W>,
  names: readonly string[],
  stages: readonly string[],
): readonly string[] {
  const faults: string[] = [];
  const at = `expectation ${quote(name)}`;
  if (typeof name !== "string" || name.trim() === "")
    faults.push(`${at}: its name must be a text, which becomes a part of the dedupe key`);
  if (!(Number.isFinite(within) && within >= 0))
    faults.push(`${at}: within is ${quote(within)}; it must be a number of seconds, 0 or more`);
  for (const parent of after)
    if (!names.includes(parent))
      faults.push(`${at}: there is no ${quote(parent)} to come after${suggestion(parent, names)}`);
  if (severity !== undefined && !SEVERITIES.includes(severity))
    faults.push(
      `${at}: severity is ${quote(severity)}; it must be one of ${SEVERITIES.join(", ")}`,
    );
  if (stage !== undefined && !stages.includes(stage))
    faults.push(
      `${at}: stage is ${quote(stage)}, which is not in stages${suggestion(stage, stages)}`,
    );
  return faults;
}

/** The names along a circle, from one back to itself. */
function findCycle<W>(expectations: readonly Expectation<W>[]): readonly string[] | undefined {
  const byName = new Map(expectations.map((each) => [each.name, each]));
  const isClear = new Set<string>();
  const search = (name: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (isClear.has(name)) return undefined;
    for (const parent of byName.get(name)?.after ?? []) {
      const cycle = search(parent, [...path, name]);
      if (cycle !== undefined) return cycle;
    }
    isClear.add(name);
    return undefined;
  };
  for (const { name } of expectations) {
    const cycle = search(name, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
