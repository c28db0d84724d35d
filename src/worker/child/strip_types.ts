import { transform } from "sucrase";

/**
 * JavaScript from TypeScript, each line where it was, so that errors name the author's own lines. Throws a
 * SyntaxError that names the place; for JavaScript it only checks the syntax.
 */
export function stripTypes(text: string, path: string): string {
  try {
    return transform(text, { transforms: ["typescript"], disableESTransforms: true }).code;
  } catch (error) {
    // `Unexpected token (2:14)`
    const message = error instanceof Error ? error.message : "";
    const [, what, place] = /^(.*) \((\d+:\d+)\)$/s.exec(message) ?? [];
    throw place === undefined
      ? error
      : new SyntaxError(`${path}:${place}: ${what}`, { cause: error });
  }
}
