import { readFileSync } from "node:fs";

/** The texts, which are code that the compiler and the tests check; beside `src/` and `dist/` alike. */
const TEMPLATES = new URL("../../deploy/new_alarm/", import.meta.url);

/** A module that works and its test: for the main service, or for a source where there is no main service. */
export function newModule(name: string, source: string | undefined) {
  const kind = source === undefined ? "tasks" : "source";
  const fill = (file: string): string =>
    readFileSync(new URL(file, TEMPLATES), "utf8")
      .replaceAll("__NAME__", name)
      .replaceAll("__TITLE__", titleOf(name))
      .replaceAll("__SOURCE__", source ?? "");
  return { module: fill(`${kind}.ts`), test: fill(`test_of_${kind}.mjs`) };
}

/** `task_without_owner` → `Task without owner` */
function titleOf(name: string): string {
  const words = name.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
