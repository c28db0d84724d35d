/** Throws where a character would be replaced: it may belong to a name, a password or a comparison. */
export function decodeText(bytes: Buffer): string {
  const text = bytes.toString();
  const kind = text.includes("\0") ? "has NUL characters, as in UTF-16" : "is not UTF-8";
  if (!text.includes("\0") && bytes.equals(Buffer.from(text))) return text.replace(/^\uFEFF/, "");
  const before = text.slice(0, text.search(/[\0\uFFFD]/)).split("\n");
  const column = (before.at(-1) ?? "").length + 1;
  throw new Error(`line ${before.length}, column ${column} ${kind}; save it as UTF-8`);
}
