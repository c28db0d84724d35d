import { SaxesParser } from "saxes";
import { BodyError } from "../fetch_error.ts";

/** An element of XML. Attributes, comments and processing instructions are left out. */
export interface Element {
  readonly name: string;
  /** The text directly in it, with CDATA sections. */
  text: string;
  readonly children: Element[];
  /** Of a `value`: it as JSON. */
  json?: string;
}

/** Elements in elements. A million, which fit into a body, would take gigabytes. */
const MAX_DEPTH = 1_000;

/** XML allows none of these, but supervisord sends them as they are in a log. */
const CONTROL_CHARACTERS = /[\0-\x08\x0b\x0c\x0e-\x1f]/g;

/**
 * The root of an XML document. `onClose` gets each element with all that is in it. Only the entities of XML itself and
 * character references are known. Throws BodyError for what is not well-formed, and for a document type declaration:
 * XML-RPC has none, and it is the way to entities that grow or read files.
 */
export function readXml(text: string, onClose: (element: Element) => void): Element {
  // The parents of what is read now, below a place for the root.
  const top: Element = { name: "", text: "", children: [] };
  const open: Element[] = [top];
  const current = (): Element => open.at(-1) ?? top;
  const addText = (part: string): void => {
    current().text += part;
  };
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw new BodyError(error.message.replace(/\.$/, ""));
  });
  parser.on("doctype", () => {
    throw new BodyError("it has a document type declaration");
  });
  parser.on("opentag", ({ name }) => {
    if (open.length > MAX_DEPTH)
      throw new BodyError(`its elements are nested more than ${MAX_DEPTH} deep`);
    const element = { name, text: "", children: [] };
    current().children.push(element);
    open.push(element);
  });
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("closetag", () => onClose(open.pop() ?? top));
  parser.write(text.replace(CONTROL_CHARACTERS, "\uFFFD")).close();
  return top.children[0] ?? top;
}

/** The elements in this one, all of which must have this name. */
export function childrenOf(element: Element, name: string): readonly Element[] {
  const other = element.children.find((child) => child.name !== name);
  if (other !== undefined) throw new BodyError(`${other.name} in ${element.name}, not ${name}`);
  return element.children;
}

/** The only element in this one, which must have this name if one is given. */
export function onlyChild(element: Element, name?: string): Element {
  const [child, ...more] = name === undefined ? element.children : childrenOf(element, name);
  if (child !== undefined && more.length === 0) return child;
  const count = element.children.length;
  throw new BodyError(`${element.name} has ${count} elements in it, not one ${name ?? ""}`.trim());
}
