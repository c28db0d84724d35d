/** Parts of the expression for an address, in text that is escaped for HTML. */
const BEFORE = String.raw`(?<![\p{L}\p{N}])`;
const SCHEME = "https?://";
/** A login could pass for the host. */
const NO_LOGIN = String.raw`(?!(?:[^/?#&<\s]|&amp;)*@)`;
const IPV6 = String.raw`\[[\da-f:.]+\]`;
const NAME = String.raw`[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*`;
const HOST = String.raw`(?:${IPV6}|${NAME})(?::\d+)?`;

/** A comma before the next address separates the two. */
const ASCII = "(?![,;|]https?:)[!#-%*-;=?-Z^_a-z|~]";
const ENTITY = String.raw`&amp;|&#39;(?=\p{L})`;
const OTHER = String.raw`(?![\p{P}\p{Z}\p{C}\uFFFD])[^\0-\x7F]`;
const CHARACTER = `(?:${ASCII}|${ENTITY}|${OTHER})`;
/** Brackets belong to the address in pairs, at most two deep. */
const withPairs = (inner: string): string =>
  String.raw`(?:${CHARACTER}|\(${inner}*\)|\[${inner}*\]|\{${inner}*\})`;
const PATH = `[/?#]${withPairs(withPairs(CHARACTER))}*`;

/** Punctuation at the end belongs to the sentence. */
const STOP = "[.,:;!?*_~^|]";
const CUT = String.raw`${STOP}*[…\uFFFD\p{Cf}]`;

const ADDRESS = new RegExp(
  `${BEFORE}(${SCHEME}${NO_LOGIN}${HOST}(?:${PATH})?(?<!${STOP}))(${CUT})?`,
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
