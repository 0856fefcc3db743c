/** Versions named by their numbers alone, as of a tool whose versions are numbers: what was meant. */

/** `show web 2`. @returns undefined for what is none of these. */
export function meantByNumber([name = '', number, ...others]: readonly string[]): string | undefined {
  if (number === undefined || others.length > 0 || name.includes('@') || !/^\w[\w.-]*$/.test(number)) return undefined;
  return `A version: lxcv show ${name}@${number}`;
}

/** `diff web 0 1`, `diff web 0`. @returns undefined for what is none of these. */
export function meantByNumbers([name = '', ...numbers]: readonly string[]): string | undefined {
  if (numbers.length === 0 || !numbers.every((each) => /^\d+$/.test(each)) || name.includes('@')) return undefined;
  const revisions = numbers.map((each) => `${name}@${each}`);
  return `Versions: lxcv diff ${(numbers.length === 1 ? [...revisions, name] : revisions).join(' ')}`;
}
