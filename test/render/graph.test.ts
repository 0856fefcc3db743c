import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GraphLine, type GraphNode, layoutGraph } from '../../src/render/graph.js';

// Each picture is what git 2.39 draws: git log --graph --date-order --format=%s
describe('layoutGraph', () => {
  it('draws a line of descent as a column', () => {
    expect(draw('c:b b:a a')).toBe(picture`
      * c
      * b
      * a
    `);
  });

  it('draws histories that have nothing in common one below the other', () => {
    expect(draw('b:a a z:y y')).toBe(picture`
      * b
      * a
      * z
      * y
    `);
  });

  it('parts lanes for branches and joins them where the branches begin', () => {
    expect(draw('f:e e:b d:c c:a b:a a')).toBe(picture`
      * f
      * e
      | * d
      | * c
      * | b
      |/
      * a
    `);
  });

  it('moves a lane to the left as soon as there is room', () => {
    expect(draw('g:d f:c e:b d:a c:a b:a a')).toBe(picture`
      * g
      | * f
      | | * e
      * | | d
      | * | c
      |/ /
      | * b
      |/
      * a
    `);
  });

  it('leads a far branch home below the lanes between', () => {
    expect(draw('i:e h:d g:c f:a e:a d:a c:a a')).toBe(picture`
      * i
      | * h
      | | * g
      | | | * f
      * | | | e
      | |_|/
      |/| |
      | * | d
      |/ /
      | * c
      |/
      * a
    `);
  });

  it('parts a merge into its parents', () => {
    expect(draw('f:c,e e:d d:b c:b b:a a')).toBe(picture`
      *   f
      |\
      | * e
      | * d
      * | c
      |/
      * b
      * a
    `);
  });

  it('draws a merge beside other branches', () => {
    expect(draw('g:a f:e,d e:b d:b c:b b:a a')).toBe(picture`
      * g
      | *   f
      | |\
      | * | e
      | | * d
      | |/
      | | * c
      | |/
      | * b
      |/
      * a
    `);
  });

  it('crosses the lanes between a merge and a parent of it', () => {
    expect(draw('e:c d:b,c c:a b:a a')).toBe(picture`
      * e
      | *   d
      | |\
      | |/
      |/|
      * | c
      | * b
      |/
      * a
    `);
  });

  it('joins a parent to the lane beside the merge at once', () => {
    expect(draw('e:c d:b c:a,b b:a a')).toBe(picture`
      * e
      | * d
      * | c
      |\|
      | * b
      |/
      * a
    `);
  });

  it('draws branches that were merged into each other', () => {
    expect(draw('f:d,c e:c,d d:b,a c:a,b b a')).toBe(picture`
      *   f
      |\
      | | * e
      | |/|
      | |/
      |/|
      * |   d
      |\ \
      | | * c
      | |/|
      | |/
      |/|
      * | b
       /
      * a
    `);
  });

  it('draws a merge of more than two', () => {
    expect(draw('x:z e:a,b,c,d d:z c:z b:z a:z z')).toBe(picture`
      * x
      | *---.   e
      | |\ \ \
      | | | | * d
      | |_|_|/
      |/| | |
      | | | * c
      | |_|/
      |/| |
      | | * b
      | |/
      |/|
      | * a
      |/
      * z
    `);
  });

  it('makes room on the right of a merge of more than two', () => {
    expect(draw('m:l,k l:a,b,c k:z c:z b:z a:z z')).toBe(picture`
      *   m
      |\
      | \
      |  \
      *-. \   l
      |\ \ \
      | | | * k
      | | * | c
      | | |/
      | * / b
      | |/
      * / a
      |/
      * z
    `);
  });

  it('closes the gap below a first version', () => {
    expect(draw('d:b c:a b a')).toBe(picture`
      * d
      | * c
      * | b
       /
      * a
    `);
  });

  it('lets lanes run out towards parents that are not shown', () => {
    expect(draw('d:b c:a')).toBe(picture`
      * d
      | * c
    `);
  });

  it('draws nothing of nothing', () => {
    expect(layoutGraph([])).toEqual([]);
  });

  it('shows every node once, in the order given', () => {
    fc.assert(
      fc.property(anyHistory, (nodes) => {
        const shown = layoutGraph(nodes).flatMap(({ id }) => (id === undefined ? [] : [id]));
        expect(shown).toEqual(nodes.map(({ id }) => id));
      }),
    );
  });

  it('has a lane beside a node for every other parent that is still to come', () => {
    fc.assert(
      fc.property(anyHistory, (nodes) => {
        const awaited = new Set<number>();
        const lanes = new Map(layoutGraph(nodes).map((line) => [line.id, line.lanes]));
        for (const { id, parents } of nodes) {
          awaited.add(id);
          expect(lanes.get(id)?.match(/[*|/\\]/g)).toHaveLength(awaited.size);
          awaited.delete(id);
          for (const parent of parents) awaited.add(parent);
        }
      }),
    );
  });

  it('never lets an edge end between two lines, or begin there', () => {
    fc.assert(
      fc.property(anyHistory, (nodes) => {
        const lines = layoutGraph(nodes);
        const roots = new Set(nodes.filter(({ parents }) => parents.length === 0).map(({ id }) => id));
        expect(lines.slice(1).flatMap((line, above) => looseEnds(lines[above], line, roots))).toEqual([]);
      }),
    );
  });
});

/** Histories, newest first: of each node at most three parents, none far below it. */
const anyHistory: fc.Arbitrary<GraphNode<number>[]> = fc
  .array(fc.array(fc.nat(4), { maxLength: 3 }), { maxLength: 20 })
  .map((descents) =>
    descents.map((steps, id) => ({
      id,
      parents: [...new Set(steps.map((step) => id + 1 + step))].filter((parent) => parent < descents.length),
    })),
  );

/** What a glyph may go on as in the next line, and how many columns from where it is. */
const CONTINUATIONS: readonly (readonly [above: string, below: string, shift: number])[] = [
  ['*|', '*|', 0],
  ['*|', '/', -1],
  ['|', '/', 0],
  ['/', '|', 0],
  ['*|', '\\', 1],
  ['/_', '*|', -1],
  ['/_', '/', -1],
  ['/_', '/', -2],
  ['\\', '*|', 1],
  ['\\', '/', 0],
  ['\\-.', '\\', 1],
];

/** Glyphs of `above` that do not go on in `below`, and of `below` that do not come from `above`. */
function looseEnds(
  above: GraphLine<number> | undefined,
  below: GraphLine<number>,
  roots: ReadonlySet<number | undefined>,
): string[] {
  const [upper, lower] = [above?.lanes.trimEnd() ?? '', below.lanes.trimEnd()];
  const dangling = [...upper].filter((glyph, column) => {
    const ends = ' -'.includes(glyph) || /_.?$/.test(upper.slice(0, column)) || (glyph === '*' && roots.has(above?.id));
    return (
      !ends && !CONTINUATIONS.some(([from, to, shift]) => from.includes(glyph) && hasAt(lower, column + shift, to))
    );
  });
  const sourceless = [...lower].filter((glyph, column) => {
    const begins = ' -._'.includes(glyph) || (glyph === '*' && /^[-.]*$/.test(lower.slice(column + 1)));
    return (
      !begins && !CONTINUATIONS.some(([from, to, shift]) => to.includes(glyph) && hasAt(upper, column - shift, from))
    );
  });
  return dangling.length + sourceless.length === 0 ? [] : [`${upper}\n${lower}`];
}

function hasAt(line: string, column: number, glyphs: string): boolean {
  const glyph = line[column];
  return glyph !== undefined && glyphs.includes(glyph);
}

/** Draws a history such as `m:a,b b a`: nodes, each with its parents, newest first. */
function draw(history: string): string {
  const nodes = history.split(' ').map((node) => {
    const [id = '', parents] = node.split(':');
    return { id, parents: parents?.split(',') ?? [] };
  });
  return layoutGraph(nodes)
    .map(({ lanes, id = '' }) => `${lanes}${id}`.trimEnd())
    .join('\n');
}

function picture(source: TemplateStringsArray): string {
  return String.raw(source)
    .split('\n')
    .slice(1, -1)
    .map((line) => line.slice('      '.length))
    .join('\n');
}
