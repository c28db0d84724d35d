/** Query parameters; null and undefined ones are left out. */
export interface Query {
  readonly [name: string]: string | number | boolean | null | undefined;
}

/** The query as in a URL, sorted, so that equal queries have equal texts. */
export function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) params.append(name, String(value));
  }
  params.sort();
  return params.toString();
}

/** Puts the query behind that of the URL. */
export function addQuery(url: URL, query: Query): void {
  const text = queryText(query);
  if (text !== "") url.search = url.search === "" ? text : `${url.search}&${text}`;
}
