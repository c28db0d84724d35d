/** Points of one line: (x, y), both above zero. */
export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Marks alone, with no line between them. */
  readonly marks?: boolean;
}

export interface Picture {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
}

const WIDTH = 760;
const HEIGHT = 440;
const EDGE = { left: 70, right: 210, top: 44, bottom: 56 };
/** Tells the lines apart where colours do not. */
const DASHES = ["", "7 4", "2 3"];

/** A chart with logarithmic axes, as SVG that a browser shows on light and on dark pages. */
export function renderPicture({ title, x, y, lines }: Picture): string {
  const points = lines.flatMap((line) => line.points);
  const across = axis(
    points.map(([value]) => value),
    EDGE.left,
    WIDTH - EDGE.right,
  );
  const up = axis(
    points.map(([, value]) => value),
    HEIGHT - EDGE.bottom,
    EDGE.top,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(EDGE.left, 24, title, 'font-size="15" font-weight="bold"'),
    ...across.decades.map((value) => {
      const at = across.place(value);
      return `${rule(at, EDGE.top, at, HEIGHT - EDGE.bottom)}${text(at, HEIGHT - EDGE.bottom + 18, label(value), MIDDLE)}`;
    }),
    ...up.decades.map((value) => {
      const at = up.place(value);
      return `${rule(EDGE.left, at, WIDTH - EDGE.right, at)}${text(EDGE.left - 8, at + 4, label(value), 'text-anchor="end"')}`;
    }),
    text((EDGE.left + WIDTH - EDGE.right) / 2, HEIGHT - 14, x, MIDDLE),
    `<g transform="rotate(-90 18 ${HEIGHT / 2})">${text(18, HEIGHT / 2, y, MIDDLE)}</g>`,
    ...lines.map((line, place) => renderLine(line, place, across, up)),
    ...lines.map((line, place) => renderKey(line, place)),
    "</svg>",
    "",
  ].join("\n");
}

const MIDDLE = 'text-anchor="middle"';

interface Axis {
  readonly decades: readonly number[];
  place(value: number): number;
}

/** From the power of ten below the least value to the one above the greatest. */
export function axis(values: readonly number[], from: number, to: number): Axis {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(Math.ceil(Math.log10(Math.max(...values))), first + 1);
  return {
    decades: Array.from({ length: last - first + 1 }, (_, step) => 10 ** (first + step)),
    place: (value) => round(from + ((Math.log10(value) - first) / (last - first)) * (to - from)),
  };
}

function renderLine(
  { colour, points, marks }: Line,
  place: number,
  across: Axis,
  up: Axis,
): string {
  const places = points.map(([x, y]) => [across.place(x), up.place(y)] as const);
  const path = places.map(([x, y]) => `${x},${y}`).join(" ");
  return [
    marks === true ? "" : stroke(`<polyline points="${path}" fill="none"`, colour, place),
    ...places.map(([x, y]) => mark(x, y, colour, marks === true)),
  ].join("");
}

function renderKey({ name, colour, marks }: Line, place: number): string {
  const [x, y] = [WIDTH - EDGE.right + 16, EDGE.top + 12 + place * 22];
  const sample =
    marks === true
      ? ""
      : stroke(`<line x1="${x}" y1="${y}" x2="${x + 26}" y2="${y}"`, colour, place);
  return `${sample}${mark(x + 13, y, colour, marks === true)}${text(x + 34, y + 4, name)}`;
}

function stroke(shape: string, colour: string, place: number): string {
  return `${shape} stroke="${colour}" stroke-width="2" stroke-dasharray="${DASHES[place % DASHES.length]}"/>`;
}

function mark(x: number, y: number, colour: string, isTarget: boolean): string {
  return isTarget
    ? `<path d="M${x - 6} ${y - 6}L${x + 6} ${y + 6}M${x - 6} ${y + 6}L${x + 6} ${y - 6}" stroke="${colour}" stroke-width="2.5"/>`
    : `<circle cx="${x}" cy="${y}" r="3.5" fill="${colour}"/>`;
}

function rule(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#d8d8d8"/>`;
}

function text(x: number, y: number, words: string, attributes = ""): string {
  return `<text x="${x}" y="${y}" fill="#222222" ${attributes}>${escapeText(words)}</text>`;
}

function label(value: number): string {
  return value >= 1 ? value.toLocaleString("en-US") : String(Number(value.toPrecision(1)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
