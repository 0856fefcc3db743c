/** What a command declares of itself, as usage, help and errors read it. */

export interface CommandShape {
  readonly summary?: string | undefined;
  /** Paragraphs, with a blank line between. */
  readonly description?: string | undefined;
  readonly examples?: readonly unknown[] | undefined;
  /** In a sentence: what it ends with besides what every command ends with. */
  readonly exitCodes?: string | undefined;
  readonly args: Readonly<Record<string, ArgShape>>;
  readonly flags: Readonly<Record<string, FlagShape>>;
  readonly strict: boolean;
  /** True where paths may follow behind a `--`. */
  readonly takesPaths: boolean;
}

interface ArgShape {
  readonly required?: boolean | undefined;
  readonly description?: string | undefined;
}

export interface FlagShape {
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
  readonly summary?: string | undefined;
  readonly helpValue?: string | readonly string[] | undefined;
  readonly multiple?: boolean | undefined;
  readonly required?: boolean | undefined;
  readonly exclusive?: readonly unknown[] | undefined;
}

/** How an argument is called in usage, help and errors. */
export function argName(name: string): string {
  return name.toUpperCase();
}

/** `--message TEXT`, or `--all` for what takes no value. */
export function flagName(name: string, flag: FlagShape): string {
  const value = valueName(flag);
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

/** What a flag's value is called; undefined for one that takes none. */
export function valueName({ type, helpValue }: FlagShape): string | undefined {
  return type === 'option' ? String(helpValue ?? 'VALUE') : undefined;
}

/** The words of a usage line, none of which may be broken: `lxcv`, `commit`, `[-m TEXT]...`, `CONTAINER`. */
export function usageWords(name: string, { args, flags, strict, takesPaths }: CommandShape): string[] {
  const told = new Set<string>();
  const options = Object.entries(flags).flatMap(([flag, shape]) => {
    if (told.has(flag)) return [];
    const alternatives = [flag, ...mutual(flag, flags).filter((each) => !told.has(each))];
    for (const each of alternatives) told.add(each);
    const text = alternatives.map((each) => shortest(each, flags[each] as FlagShape)).join(' | ');
    return (shape.required ? text : `[${text}]${shape.multiple ? '...' : ''}`).split(/(?<=\|) /);
  });
  const operands = Object.entries(args).map(([arg, { required }]) => (required ? argName(arg) : `[${argName(arg)}]`));
  const last = operands.pop();
  return [
    'lxcv',
    name,
    ...options,
    ...operands,
    ...(last === undefined ? [] : [strict ? last : `${last}...`]),
    ...(takesPaths ? ['[-- PATH...]'] : []),
  ];
}

/** The flags that exclude this one and each other, so that one pair of brackets holds them all. */
function mutual(name: string, flags: CommandShape['flags']): string[] {
  const excluded = (flag: string) => (flags[flag]?.exclusive ?? []).map(String).filter((each) => each in flags);
  return excluded(name).filter((other) => {
    const others = [name, ...excluded(name)].filter((each) => each !== other);
    return others.every((each) => excluded(other).includes(each));
  });
}

function shortest(name: string, flag: FlagShape): string {
  const value = valueName(flag);
  const text = flag.char === undefined ? `--${name}` : `-${flag.char}`;
  return value === undefined ? text : `${text} ${value}`;
}
