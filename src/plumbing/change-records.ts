/** Keeps changes in as little memory as can be: there may be a million. */

import type { BytePath } from '../model/byte-path.js';
import type { Attributes, ChangeKind, ChangeRecord } from '../model/changes.js';
import type { EntryType } from '../model/entry.js';
import { type Place, pathOf } from '../model/place.js';

/** The attributes on each side, where there is one. */
export type Sides = Pick<ChangeRecord, 'before' | 'after'>;

/** Makes changes that share what many of them have in common. */
export class ChangeRecords {
  private readonly shared: SharedFields[] = [];
  /** Those of the change before: mostly the next one's too. */
  private last: SharedFields | undefined;
  private readonly table = new AttributeTable();

  /** @param sizes undefined where they are unknown: they are 0 then. */
  make(place: Place, change: Kinds, sides: Sides, sizes?: Pick<ChangeRecord, 'size' | 'sizeBefore'>): ChangeRecord {
    if (this.last === undefined || !isOf(this.last, change, sides)) this.last = this.sharedOf(change, sides);
    const row = this.table.size;
    if (sides.before !== undefined) this.table.add(sides.before);
    if (sides.after !== undefined) this.table.add(sides.after);
    if (sizes === undefined) return new UnsizedChange(place, this.last, row);
    return new SizedChange(place, this.last, row, sizes.size, sizes.sizeBefore);
  }

  private sharedOf(change: Kinds, sides: Sides): SharedFields {
    const known = this.shared.find((fields) => isOf(fields, change, sides));
    if (known !== undefined) return known;
    const { kind, type, typeBefore } = change;
    const { before, after } = sides;
    const shared = {
      kind,
      type,
      typeBefore,
      hasBefore: before !== undefined,
      hasAfter: after !== undefined,
      table: this.table,
    };
    this.shared.push(shared);
    return shared;
  }
}

type Kinds = Pick<ChangeRecord, 'kind' | 'type' | 'typeBefore'>;

/** What many changes have in common. */
interface SharedFields extends Kinds {
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
  readonly table: AttributeTable;
}

function isOf(shared: SharedFields, { kind, type, typeBefore }: Kinds, { before, after }: Sides): boolean {
  return (
    shared.kind === kind &&
    shared.type === type &&
    shared.typeBefore === typeBefore &&
    shared.hasBefore === (before !== undefined) &&
    shared.hasAfter === (after !== undefined)
  );
}

abstract class StoredChange implements ChangeRecord {
  abstract readonly size: number;
  abstract readonly sizeBefore: number;

  /** @param row of what it had before, if there is such, and then of what it has now. */
  constructor(
    readonly place: Place,
    private readonly shared: SharedFields,
    private readonly row: number,
  ) {}

  get path(): BytePath {
    return pathOf(this.place);
  }

  get kind(): ChangeKind {
    return this.shared.kind;
  }

  get type(): EntryType {
    return this.shared.type;
  }

  get typeBefore(): EntryType | undefined {
    return this.shared.typeBefore;
  }

  get before(): Attributes | undefined {
    const { hasBefore, table } = this.shared;
    return hasBefore ? table.at(this.row) : undefined;
  }

  get after(): Attributes | undefined {
    const { hasBefore, hasAfter, table } = this.shared;
    return hasAfter ? table.at(this.row + (hasBefore ? 1 : 0)) : undefined;
  }
}

class UnsizedChange extends StoredChange {
  get size(): number {
    return 0;
  }

  get sizeBefore(): number {
    return 0;
  }
}

class SizedChange extends StoredChange {
  constructor(
    place: Place,
    shared: SharedFields,
    row: number,
    readonly size: number,
    readonly sizeBefore: number,
  ) {
    super(place, shared, row);
  }
}

/** A file that was added or removed, and has the bytes of one that was removed or added. */
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

type Permissions = Omit<Attributes, 'mtimeNs'>;

const RECORD_BYTES = 12;
const RECORDS_OF_CHUNK = 1 << 16;

/** Attributes of many files, in twelve bytes each: most have all but their times in common with others. */
class AttributeTable {
  private readonly permissions: Permissions[] = [];
  private readonly numbers = new Map<string, number>();
  /** Of each file the number of its permissions, and its time. */
  private readonly chunks: Buffer[] = [];
  /** Times that do not fit eight bytes of nanoseconds: before 1677 and after 2262. */
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
    const permissions = this.permissions[chunk.readUInt32LE(at)] as Permissions;
    return { ...permissions, mtimeNs: this.farTimes.get(place) ?? chunk.readBigInt64LE(at + 4) };
  }

  private numberOf(permissions: Permissions): number {
    const values = [...permissions.xattrs].flatMap(([name, value]) => [name, value.toString('latin1')]);
    const key = JSON.stringify([permissions.mode, permissions.uid, permissions.gid, ...values]);
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.numbers.set(key, this.permissions.length);
    return this.permissions.push(permissions) - 1;
  }
}
