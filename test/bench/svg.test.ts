import { describe, expect, it } from 'vitest';
import { type Chart, drawChart, type Point } from './svg.js';

describe('drawChart', () => {
  it('labels each decade, from the one below the least value to the one above the greatest', () => {
    const { texts } = read(drawChart(chart([point(10, 20), point(10_000, 300)])));
    expect(texts.map(({ text }) => text)).toEqual([
      ...['A panel', 'x 10', 'x 100', 'x 1000', 'x 10000', 'y 10', 'y 100', 'y 1000', 'a line'],
    ]);
  });

  it('makes a decade as wide as the next', () => {
    const svg = drawChart(chart([point(1, 0.1), point(1000, 10)]));
    const gaps = (texts: readonly string[], axis: 'x' | 'y') => {
      const places = texts.map((text) => at(svg, text)[axis]);
      return places.slice(1).map((place, index) => place - (places[index] as number));
    };
    expect(gaps(['x 1', 'x 10', 'x 100', 'x 1000'], 'x')).toEqual([90, 90, 90]);
    expect(gaps(['y 10', 'y 1', 'y 0.1'], 'y')).toEqual([120, 120]);
  });

  it('puts a point where its values are on the axes', () => {
    const svg = drawChart(chart([point(1, 100), point(10, 1), point(Math.sqrt(1000), 10)]));
    const [first, second, third] = read(svg).markers;
    const baseline = at(svg, 'y 100').y;
    expect(first).toEqual({ x: at(svg, 'x 1').x, y: 0 });
    expect(second).toEqual({ x: at(svg, 'x 10').x, y: at(svg, 'y 1').y - baseline });
    expect(third).toEqual({ x: (at(svg, 'x 10').x + at(svg, 'x 100').x) / 2, y: at(svg, 'y 10').y - baseline });
  });

  it('joins the points of a line', () => {
    const svg = drawChart(chart([point(1, 1), point(10, 10)]));
    expect(svg).toContain('<polyline points="0,240 270,0" ');
  });

  it('gives a single point a decade', () => {
    expect(read(drawChart(chart([point(10, 10)]))).texts.map(({ text }) => text)).toEqual([
      ...['A panel', 'x 10', 'x 100', 'y 10', 'y 100', 'a line'],
    ]);
  });

  it('has one y axis and one legend for all panels', () => {
    const [panel] = chart([point(1, 1), point(10, 10)]).panels as [Chart['panels'][number]];
    const higher = { ...panel, lines: [{ name: 'a line', points: [point(5, 1000)] }] };
    const { texts } = read(drawChart({ ...chart([]), panels: [panel, higher] }));
    const labels = (start: string) => texts.map(({ text }) => text).filter((text) => text.startsWith(start));
    expect(labels('y')).toEqual(['y 1', 'y 10', 'y 100', 'y 1000', 'y 1', 'y 10', 'y 100', 'y 1000']);
    expect(labels('a line')).toEqual(['a line']);
  });

  it('gives lines with different names different looks, and rows to a long legend', () => {
    const lines = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, points: [point(1, 1)] }));
    const [panel] = chart([]).panels as [Chart['panels'][number]];
    const svg = drawChart({ ...chart([]), panels: [{ ...panel, lines }] });
    expect(new Set(svg.match(/<path d="[^"]+"/g)).size).toBe(5);
    expect(new Set(svg.match(/stroke="#[^"]+"/g)).size).toBe(5);
    expect(at(svg, 'c')).toEqual({ x: at(svg, 'a').x, y: at(svg, 'a').y + 20 });
  });

  it('escapes text, and holds nothing that runs or is loaded', () => {
    const { panels } = chart([point(1, 1)]);
    const svg = drawChart({ title: '</title>&', panels, describeY: () => '<script>"&amp;' });
    expect(svg).toContain('<title>&#60;/title&#62;&#38;</title>');
    expect(svg).toContain('>&#60;script&#62;&#34;&#38;amp;</text>');
    expect(svg).not.toMatch(/<script|href|url\(|@import/);
  });
});

function point(x: number, y: number): Point {
  return { x, y };
}

function chart(points: readonly Point[]): Chart {
  const panel = { title: 'A panel', lines: [{ name: 'a line', points }], describeX: (x: number) => `x ${x}` };
  return { title: 'A chart', panels: [panel], describeY: (y) => `y ${y}` };
}

/** Reads back the texts and the markers with their places, in the order of the file. */
function read(svg: string) {
  const texts = [...svg.matchAll(/<text x="([^"]+)" y="([^"]+)"[^>]*>([^<]*)</g)];
  const markers = [...svg.matchAll(/<path d="[^"]+" transform="translate\((\S+) (\S+)\)"/g)];
  return {
    texts: texts.map(([, x, y, text]) => ({ ...point(Number(x), Number(y)), text: text as string })),
    markers: markers.map(([, x, y]) => point(Number(x), Number(y))),
  };
}

function at(svg: string, wanted: string): Point {
  const found = read(svg).texts.find(({ text }) => text === wanted);
  if (found === undefined) throw new Error(`no text "${wanted}"`);
  return point(found.x, found.y);
}
