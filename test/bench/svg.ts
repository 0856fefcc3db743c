/** Draws line charts whose axes are both logarithmic, as an SVG that needs nothing but itself, on a light page or a dark one. */

/** Panels side by side. All have the same y axis, so that one can be held against the other. */
export interface Chart {
  /** Read out by what cannot show the picture. */
  readonly title: string;
  readonly panels: readonly Panel[];
  /** The label of a power of ten on the y axis. */
  readonly describeY: (y: number) => string;
}

interface Panel {
  readonly title: string;
  /** At least one of them with a point. Lines with the same name look the same in all panels. */
  readonly lines: readonly Line[];
  /** The label of a power of ten on the x axis. */
  readonly describeX: (x: number) => string;
}

interface Line {
  readonly name: string;
  /** From left to right. */
  readonly points: readonly Point[];
}

/** Both values are above 0. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The powers of ten at which an axis begins and ends. */
interface Range {
  readonly from: number;
  readonly to: number;
}

interface Look {
  readonly colour: string;
  /** Path data around 0,0, so that lines are told apart without colours too. */
  readonly marker: string;
}

/** All lengths are in pixels. */
const PLOT = { width: 270, height: 240 };
const MARGIN = { left: 60, right: 32, top: 40, bottom: 40 };
const LEGEND = { entryWidth: 150, rowHeight: 20 };
const PANEL_WIDTH = MARGIN.left + PLOT.width + MARGIN.right;
const PANEL_HEIGHT = MARGIN.top + PLOT.height + MARGIN.bottom;

/** The colours are as far from white as from black; a line beyond the last look gets the first again. */
const LOOKS: readonly Look[] = [
  { colour: '#0072b2', marker: 'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z' },
  { colour: '#d55e00', marker: 'M-4 -4h8v8h-8z' },
  { colour: '#009e73', marker: 'M0 -5l5 9h-10z' },
  { colour: '#c06c9c', marker: 'M0 -5l5 5l-5 5l-5 -5z' },
  { colour: '#7f7f7f', marker: 'M0 5l5 -9h-10z' },
];

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.paper { fill: #ffffff }
.grid { stroke: #d0d7de }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .paper { fill: #0d1117 }
  .grid { stroke: #3d444d }
}
`;

/** @returns the text of an SVG file. */
export function drawChart({ title, panels, describeY }: Chart): string {
  const names = [...new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const looks = new Map(names.map((name, index) => [name, LOOKS[index % LOOKS.length] as Look]));
  const range = decadesOf(panels.flatMap(({ lines }) => lines).flatMap(({ points }) => points.map(({ y }) => y)));
  const legend = drawLegend(looks, panels.length * PANEL_WIDTH);
  const [width, height] = [panels.length * PANEL_WIDTH, PANEL_HEIGHT + legend.height];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${width}" height="${height}" rx="6"/>`,
    ...panels.flatMap((panel, index) => [
      `<g transform="translate(${index * PANEL_WIDTH + MARGIN.left} ${MARGIN.top})">`,
      ...drawPanel(panel, range, describeY, looks),
      '</g>',
    ]),
    `<g transform="translate(${MARGIN.left} ${PANEL_HEIGHT})">`,
    ...legend.elements,
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}

function drawPanel(
  { title, lines, describeX }: Panel,
  yRange: Range,
  describeY: Chart['describeY'],
  looks: ReadonlyMap<string, Look>,
): string[] {
  const xRange = decadesOf(lines.flatMap(({ points }) => points.map(({ x }) => x)));
  const toX = (x: number) => round(share(xRange, x) * PLOT.width);
  const toY = (y: number) => round((1 - share(yRange, y)) * PLOT.height);
  const [middle, below] = [PLOT.width / 2, PLOT.height + 18];
  return [
    drawText(title, middle, -16, 'middle', ' class="title"'),
    ...decadesIn(xRange).flatMap((x) => [
      `<path class="grid" d="M${toX(x)} 0v${PLOT.height}"/>`,
      drawText(describeX(x), toX(x), below, 'middle'),
    ]),
    ...decadesIn(yRange).flatMap((y) => [
      `<path class="grid" d="M0 ${toY(y)}h${PLOT.width}"/>`,
      drawText(describeY(y), -8, toY(y) + 4, 'end'),
    ]),
    ...lines.flatMap(({ name, points }) =>
      drawLine(
        points.map(({ x, y }) => ({ x: toX(x), y: toY(y) })),
        looks.get(name) as Look,
      ),
    ),
  ];
}

/** @param points in pixels. */
function drawLine(points: readonly Point[], { colour, marker }: Look): string[] {
  const corners = points.map(({ x, y }) => `${x},${y}`).join(' ');
  return [
    `<polyline points="${corners}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...points.map(({ x, y }) => `<path d="${marker}" transform="translate(${x} ${y})" fill="${colour}"/>`),
  ];
}

function drawLegend(looks: ReadonlyMap<string, Look>, width: number) {
  const columns = Math.max(1, Math.floor((width - MARGIN.left) / LEGEND.entryWidth));
  const elements = [...looks].flatMap(([name, look], index) => {
    const [x, y] = [(index % columns) * LEGEND.entryWidth, Math.floor(index / columns) * LEGEND.rowHeight + 6];
    const sample = [0, 12, 24].map((along) => ({ x: x + along, y }));
    return [...drawLine(sample, look), drawText(name, x + 34, y + 4, 'start')];
  });
  return { elements, height: Math.ceil(looks.size / columns) * LEGEND.rowHeight };
}

function drawText(text: string, x: number, y: number, anchor: 'start' | 'middle' | 'end', attributes = ''): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}"${attributes}>${escapeText(text)}</text>`;
}

/** From the power of ten at or below the least value to the one at or above the greatest; at least a decade. */
function decadesOf(values: readonly number[]): Range {
  const from = Math.floor(Math.log10(Math.min(...values)));
  return { from, to: Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values)))) };
}

function decadesIn({ from, to }: Range): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
}

/** How far along an axis a value is: 0 is its begin, and 1 its end. */
function share({ from, to }: Range, value: number): number {
  return (Math.log10(value) - from) / (to - from);
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
