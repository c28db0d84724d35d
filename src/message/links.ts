const HOST = String.raw`(?:\[[\da-f:.]+\]|[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*)(?::\d+)?`;
/** After the host, as HTML writes it. A comma before the next address separates the two. */
const CHARACTER = String.raw`(?:(?![,;|]https?:)[!#-%*-;=?-Z^_a-z|~]|&amp;|&#39;(?=\p{L})|(?![\p{P}\p{Z}\p{C}\uFFFD])[^\0-\x7F])`;
const withPairs = (inner: string): string =>
  String.raw`(?:${CHARACTER}|\(${inner}*\)|\[${inner}*\]|\{${inner}*\})`;
/** Without a login, which could pass for the host, and without the punctuation of the sentence around it. */
const ADDRESS = new RegExp(
  String.raw`(?<![\p{L}\p{N}])(https?://(?!(?:[^/?#&<\s]|&amp;)*@)${HOST}(?:[/?#]${withPairs(withPairs(CHARACTER))}*)?(?<![.,:;!?*_~^|]))([.,:;!?*_~^|]*[…\uFFFD\p{Cf}])?`,
  "giu",
);

/** Makes links of the http and https addresses in an HTML page. One that was cut, or that hides characters, stays text. */
export function linkAddresses(html: string): string {
  const start = html.indexOf("</head>") + 1;
  const linked = html.slice(start).replace(ADDRESS, (whole, address: string, cut?: string) => {
    const isWhole = cut === undefined && URL.canParse(address);
    return isWhole ? `<a href="${address}">${address}</a>` : whole;
  });
  return html.slice(0, start) + linked;
}
