/** Changes as they are told, each in as little memory as can be: there may be a million. */

import type { BytePath } from '../model/byte-path.js';
import type { Attributes, ChangeKind, ChangeRecord } from '../model/changes.js';
import type { EntryType } from '../model/entry.js';
import { type Place, pathOf } from '../model/place.js';

/** What it has on each side, as far as there is one. */
export type Sides = Pick<ChangeRecord, 'before' | 'after'>;

/** Makes changes that share what they have in common. */
export class ChangeRecords {
  private readonly commons: Common[] = [];
  /** That of the change before: mostly the next one's too. */
  private last: Common | undefined;
  private readonly table = new AttributeTable();

  /** @param sizes left out where they are not to be told. */
  make(place: Place, change: Kinds, sides: Sides, sizes?: Pick<ChangeRecord, 'size' | 'sizeBefore'>): ChangeRecord {
    if (this.last === undefined || !isIn(this.last, change, sides)) this.last = this.commonOf(change, sides);
    const row = this.table.size;
    if (sides.before !== undefined) this.table.add(sides.before);
    if (sides.after !== undefined) this.table.add(sides.after);
    if (sizes === undefined) return new UnsizedChange(place, this.last, row);
    return new SizedChange(place, this.last, row, sizes.size, sizes.sizeBefore);
  }

  private commonOf(change: Kinds, sides: Sides): Common {
    const known = this.commons.find((common) => isIn(common, change, sides));
    if (known !== undefined) return known;
    const { kind, type, typeBefore } = change;
    const { before, after } = sides;
    const common = {
      kind,
      type,
      typeBefore,
      hasBefore: before !== undefined,
      hasAfter: after !== undefined,
      table: this.table,
    };
    this.commons.push(common);
    return common;
  }
}

type Kinds = Pick<ChangeRecord, 'kind' | 'type' | 'typeBefore'>;

/** What many changes have in common. */
interface Common extends Kinds {
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
  readonly table: AttributeTable;
}

function isIn(common: Common, { kind, type, typeBefore }: Kinds, { before, after }: Sides): boolean {
  return (
    common.kind === kind &&
    common.type === type &&
    common.typeBefore === typeBefore &&
    common.hasBefore === (before !== undefined) &&
    common.hasAfter === (after !== undefined)
  );
}

abstract class KeptChange implements ChangeRecord {
  abstract readonly size: number;
  abstract readonly sizeBefore: number;

  /** @param row of what it had before, if there is such, and then of what it has now. */
  constructor(
    readonly place: Place,
    private readonly common: Common,
    private readonly row: number,
  ) {}

  get path(): BytePath {
    return pathOf(this.place);
  }

  get kind(): ChangeKind {
    return this.common.kind;
  }

  get type(): EntryType {
    return this.common.type;
  }

  get typeBefore(): EntryType | undefined {
    return this.common.typeBefore;
  }

  get before(): Attributes | undefined {
    const { hasBefore, table } = this.common;
    return hasBefore ? table.at(this.row) : undefined;
  }

  get after(): Attributes | undefined {
    const { hasBefore, hasAfter, table } = this.common;
    return hasAfter ? table.at(this.row + (hasBefore ? 1 : 0)) : undefined;
  }
}

class UnsizedChange extends KeptChange {
  get size(): number {
    return 0;
  }

  get sizeBefore(): number {
    return 0;
  }
}

class SizedChange extends KeptChange {
  constructor(
    place: Place,
    common: Common,
    row: number,
    readonly size: number,
    readonly sizeBefore: number,
  ) {
    super(place, common, row);
  }
}

/** A file that came or went, and has the bytes of one that went or came. */
export class MovedChange implements ChangeRecord {
  /** @param other where it was, or is. */
  constructor(
    private readonly change: ChangeRecord,
    private readonly other: Place,
  ) {}

  get movedFrom(): Place | undefined {
    return this.kind === 'added' ? this.other : undefined;
  }

  get movedTo(): Place | undefined {
    return this.kind === 'removed' ? this.other : undefined;
  }

  get place(): Place {
    return this.change.place;
  }

  get path(): BytePath {
    return this.change.path;
  }

  get kind(): ChangeKind {
    return this.change.kind;
  }

  get type(): EntryType {
    return this.change.type;
  }

  get typeBefore(): EntryType | undefined {
    return this.change.typeBefore;
  }

  get size(): number {
    return this.change.size;
  }

  get sizeBefore(): number {
    return this.change.sizeBefore;
  }

  get before(): Attributes | undefined {
    return this.change.before;
  }

  get after(): Attributes | undefined {
    return this.change.after;
  }
}

type Rights = Omit<Attributes, 'mtimeNs'>;

const RECORD_BYTES = 12;
const RECORDS_OF_CHUNK = 1 << 16;

/** Attributes of many files, in twelve bytes each: most have all but their times in common with others. */
class AttributeTable {
  private readonly rights: Rights[] = [];
  private readonly numbers = new Map<string, number>();
  /** Of each file the number of its rights, and its time. */
  private readonly chunks: Buffer[] = [];
  /** Times that eight bytes of nanoseconds cannot tell: before 1677 and after 2262. */
  private readonly farTimes = new Map<number, bigint>();
  size = 0;

  add({ mode, uid, gid, xattrs, mtimeNs }: Attributes): void {
    const at = (this.size % RECORDS_OF_CHUNK) * RECORD_BYTES;
    if (at === 0) this.chunks.push(Buffer.alloc(RECORDS_OF_CHUNK * RECORD_BYTES));
    const chunk = this.chunks.at(-1) as Buffer;
    chunk.writeUInt32LE(this.numberOf({ mode, uid, gid, xattrs }), at);
    chunk.writeBigInt64LE(BigInt.asIntN(64, mtimeNs), at + 4);
    if (BigInt.asIntN(64, mtimeNs) !== mtimeNs) this.farTimes.set(this.size, mtimeNs);
    this.size += 1;
  }

  at(place: number): Attributes {
    const chunk = this.chunks[Math.floor(place / RECORDS_OF_CHUNK)] as Buffer;
    const at = (place % RECORDS_OF_CHUNK) * RECORD_BYTES;
    const rights = this.rights[chunk.readUInt32LE(at)] as Rights;
    return { ...rights, mtimeNs: this.farTimes.get(place) ?? chunk.readBigInt64LE(at + 4) };
  }

  private numberOf(rights: Rights): number {
    const values = [...rights.xattrs].flatMap(([name, value]) => [name, value.toString('latin1')]);
    const key = JSON.stringify([rights.mode, rights.uid, rights.gid, ...values]);
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.numbers.set(key, this.rights.length);
    return this.rights.push(rights) - 1;
  }
}
