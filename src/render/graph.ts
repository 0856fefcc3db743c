/**
 * History drawn as `git log --graph` draws it: each line of descent runs down a lane, and lanes part and meet. It differs
 * from git 2.39 only near some merges of three or more, where git loses an edge or leaves a gap in one.
 */

export interface GraphNode<Id> {
  readonly id: Id;
  /** The first is the one whose lane this node's lane goes on as. */
  readonly parents: readonly Id[];
}

/** A line of the drawing; that of a node bears its id, the others only lead from node to node. */
export interface GraphLine<Id> {
  /** Padded, on the line of a node, so that what is written behind it clears the node's edges. */
  readonly lanes: string;
  readonly id?: Id;
}

/** Draws `nodes`, each of which comes before its parents. A parent that is not among them is a lane that runs out below. */
export function layoutGraph<Id>(nodes: readonly GraphNode<Id>[]): GraphLine<Id>[] {
  const lines: GraphLine<Id>[] = [];
  let lanes: readonly Id[] = [];
  let above: Row | undefined;
  for (const node of nodes) {
    const fork = planFork(node, lanes);
    const { row: parting, edges } = drawParting(fork);
    const settling = drawSettling(edges);
    lines.push(
      ...drawSpreading(fork, above).map((row) => ({ lanes: toText(row) })),
      { lanes: toText(drawNode(fork, above)).padEnd(nodeWidth(fork)), id: node.id },
      ...(fork.parents.length > 1 ? [parting, ...settling] : settling).map((row) => ({ lanes: toText(row) })),
    );
    lanes = fork.next;
    above = settling.at(-1) ?? (fork.arms > 0 && !fork.joins ? parting : undefined);
  }
  return lines;
}

/** What happens to the lanes at a node. Lane `i` runs down the screen's column `2 * i`; in between, edges change lanes. */
interface Fork<Id> {
  /** What each lane leads to, the node among it. */
  readonly lanes: readonly Id[];
  readonly own: number;
  readonly parents: readonly Id[];
  /** What each lane leads to below the node. */
  readonly next: readonly Id[];
  /** Of a merge: the first parent has a lane on the left already, so that its edge leaves to the left. */
  readonly leftward: boolean;
  /** How many edges leave to the right. */
  readonly arms: number;
  /** The last of them leads where the next lane leads, and meets it at once. */
  readonly joins: boolean;
  /** By how many lanes those on the right make room. */
  readonly shift: number;
}

/** An edge on its way down: the screen's column that it is in, and the lane that it makes for, never to its right. */
interface Edge {
  readonly column: number;
  readonly lane: number;
}

/** One line of the screen: a glyph for each column that has one. */
type Row = Map<number, string>;

function planFork<Id>(node: GraphNode<Id>, above: readonly Id[]): Fork<Id> {
  const lanes = above.includes(node.id) ? above : [...above, node.id];
  const own = lanes.indexOf(node.id);
  const parents = [...new Set(node.parents)];
  const next = [...new Set([...lanes.slice(0, own), ...parents, ...lanes.slice(own + 1)])];
  const leftward = parents.length > 1 && lanes.slice(0, own).some((id) => id === parents[0]);
  const arms = Math.max(0, parents.length - (leftward ? 2 : 1));
  const joins = arms > 0 && own + 1 < lanes.length && lanes[own + 1] === parents.at(-1);
  return { lanes, own, parents, next, leftward, arms, joins, shift: joins ? arms - 1 : arms };
}

/** The lines above a node with two arms or more, in which the lanes on its right make room. */
function drawSpreading<Id>({ lanes, own, arms }: Fork<Id>, above: Row | undefined): Row[] {
  if (own === lanes.length - 1) return [];
  return Array.from({ length: 2 * Math.max(0, arms - 1) }, (_, step) => {
    const glyph = (lane: number) => (step > 0 || above?.get(2 * lane - 1) === '\\' ? '\\' : '|');
    return new Map(lanes.map((_, lane) => (lane <= own ? [2 * lane, '|'] : [2 * lane + step, glyph(lane)])));
  });
}

function drawNode<Id>(fork: Fork<Id>, above: Row | undefined): Row {
  const { lanes, own, arms } = fork;
  const reach = 2 * Math.max(0, arms - 1);
  const row: Row = new Map();
  for (const [lane, id] of lanes.entries()) {
    if (lane < own) row.set(2 * lane, '|');
    else if (lane === own) row.set(2 * lane, '*');
    else row.set(2 * lane + reach, slantBeside(fork, lane, id, above));
  }
  for (let column = 1; column <= reach; column++) row.set(2 * own + column, column < reach ? '-' : '.');
  return row;
}

/** How a lane, which leads to `id`, passes the node on its right: upright, unless it slants the same way above and below. */
function slantBeside<Id>(fork: Fork<Id>, lane: number, id: Id, above: Row | undefined): string {
  if (fork.arms > 1) return fork.joins ? '|' : '\\';
  if (fork.shift > 0) return above?.get(2 * lane - 1) === '\\' ? '\\' : '|';
  return above?.get(2 * lane + 1) === '/' && fork.next.indexOf(id) < lane ? '/' : '|';
}

function nodeWidth<Id>({ lanes, shift }: Fork<Id>): number {
  return 2 * (lanes.length + shift);
}

/** The line below a merge, in which its edges part; and for every node where all edges are below it. */
function drawParting<Id>(fork: Fork<Id>): { row: Row; edges: Edge[] } {
  const { lanes, own, parents, next, leftward, arms, joins, shift } = fork;
  const edge = (id: Id, column: number): Edge => ({ column, lane: next.indexOf(id) });
  const toLeft = leftward ? parents.slice(0, 1) : [];
  const { row, edges } = step([
    ...lanes.slice(0, own).map((id, lane) => edge(id, 2 * lane)),
    ...toLeft.map((id) => edge(id, 2 * own)),
  ]);
  for (const [arm, id] of parents.slice(toLeft.length).entries()) {
    const column = 2 * (own + arm);
    if (arm === 0) row.set(column, '|');
    else row.set(column - 1, '\\');
    edges.push(edge(id, column));
  }
  for (const [lane, id] of lanes.entries()) {
    if (lane <= own) continue;
    const column = 2 * (lane + shift);
    if (arms === 0 || joins) row.set(column, '|');
    else row.set(column - 1, '\\');
    edges.push(edge(id, column));
  }
  return { row, edges };
}

/** The lines in which all edges move into their lanes. */
function drawSettling(edges: readonly Edge[]): Row[] {
  const rows: Row[] = [];
  let moving = edges;
  while (moving.some(({ column, lane }) => Math.floor(column / 2) !== lane)) {
    const moved = step(moving);
    rows.push(moved.row);
    moving = moved.edges;
  }
  return rows;
}

/**
 * One line down: each edge moves a column to the left, or two where it crosses another; edges to the same lane become one.
 * The first that moves goes on, under the lanes that it crosses, until just before its own.
 */
function step(edges: readonly Edge[]): { row: Row; edges: Edge[] } {
  const row: Row = new Map();
  const moved = new Map<number, Edge>();
  let first = true;
  for (const { column, lane } of edges) {
    const home = 2 * lane;
    if (column <= home + 1) {
      row.set(home, '|');
      moved.set(home, { column: home, lane });
      continue;
    }
    const neighbour = moved.get(column - 1);
    if (neighbour?.lane === lane) continue;
    const slash = neighbour ? column - 2 : column - 1;
    const landing = first ? Math.min(slash, home + 3) : slash;
    for (let under = landing; under < slash; under += 2) row.set(under, '_');
    row.set(slash, '/');
    moved.set(landing, { column: landing, lane });
    first = false;
  }
  return { row, edges: [...moved.values()].sort((a, b) => a.column - b.column) };
}

function toText(row: Row): string {
  return Array.from({ length: Math.max(...row.keys()) + 1 }, (_, column) => row.get(column) ?? ' ').join('');
}
