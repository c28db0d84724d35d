import vm from "node:vm";
import { type Options, transform } from "sucrase";

const TYPES: Options = { transforms: ["typescript"], disableESTransforms: true };

/**
 * JavaScript from TypeScript, each line where it was, so that errors name the author's own lines. Throws a
 * SyntaxError that names the place.
 */
export function stripTypes(text: string, path: string): string {
  const code = compile(text, path);
  // Taken for types, what a namespace holds would be missing without a word.
  const kept = new Set(namespaces(code).map(({ name }) => name));
  const lost = namespaces(text).find(({ name }) => !kept.has(name));
  if (lost === undefined) return code;
  throw new SyntaxError(`${path}:${lost.line}: namespaces are not supported; make it a file`);
}

function compile(text: string, path: string): string {
  try {
    return transform(text, TYPES).code;
  } catch (error) {
    throw placed(error, path) ?? error;
  }
}

function namespaces(text: string): readonly { readonly name: string; readonly line: number }[] {
  const found = text.matchAll(
    /^[ \t]*(?:export[ \t]+)?(?:namespace|module)[ \t]+([\w.$]+)[ \t]*\{/gm,
  );
  return [...found].map(({ 1: name = "", index }) => ({
    name,
    line: text.slice(0, index).split("\n").length,
  }));
}

/** The error with its place, for a module that Node refuses: Node tells the place of scripts only. */
export function placeOf(refusal: SyntaxError, text: string, path: string): SyntaxError {
  try {
    const { code } = transform(text, { ...TYPES, transforms: ["typescript", "imports"] });
    new vm.Script(`async () => {${code}\n}`, { filename: path });
  } catch (error) {
    const found = placed(error, path);
    if (found !== undefined) return found;
    const place = /:(\d+)\n/.exec(error instanceof Error ? (error.stack ?? "") : "");
    if (place !== null && error instanceof Error && error.message === refusal.message)
      return new SyntaxError(`${path}:${place[1]}: ${refusal.message}`, { cause: refusal });
  }
  return new SyntaxError(`${path}: ${refusal.message}`, { cause: refusal });
}

/** `Unexpected token (2:14)`, with the place where others look for it. */
function placed(error: unknown, path: string): SyntaxError | undefined {
  const message = error instanceof Error ? error.message : "";
  const [, words, line, column] = /^(.*) \((\d+):(\d+)\)$/s.exec(message) ?? [];
  if (words === undefined) return undefined;
  return new SyntaxError(`${path}:${line}:${column}: ${words}`, { cause: error });
}
