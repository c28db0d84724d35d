import { escapeHtml, headerText, plainText } from "./escape.ts";

/** Invisible; within a mark it leaves the text as it reads, but without effect. */
const ZERO_WIDTH = "\u200b";

/** Data as one line of a chat's Markdown: it cannot mention people, format or hide a link. Addresses stay links. */
export function chatLine(text: string): string {
  return (
    headerText(text)
      .replace(/[&<>]/g, escapeHtml)
      // Chats make links of addresses as they are, backslashes included.
      .replace(
        /(https?:\/\/[a-z\d][^\s\\`*[\]]*)|[\\`*_~#[\]]/gi,
        (found, url) => url ?? `\\${found}`,
      )
      // Neither a column of a table nor a part of `<url|text>`.
      .replace(/\|/g, "&#124;")
      .replace(/@|:(?=[\w+-]+:)/g, `$&${ZERO_WIDTH}`)
  );
}

/** The same for a text of several lines, none of which starts a list, heading or quotation. */
export function chatText(text: string): string {
  const lines = plainText(text).trim().split("\n");
  return lines.map((line) => ZERO_WIDTH + chatLine(line)).join("\n");
}

/** Data in a block of code, which it cannot close. Mattermost translates `<url|text>` and `<!channel>` even there. */
export function chatBlock(text: string): string {
  const safe = plainText(text)
    .replace(/</g, "‹")
    .replace(/@/g, `@${ZERO_WIDTH}`)
    .replace(/``(?=`)/g, `$&${ZERO_WIDTH}`);
  return `\`\`\`\n${safe.trimEnd()}\n\`\`\``;
}
