/** Sizes and counts, as a person reads them. */

/** A number of bytes in IEC units: `0 B`, `4.2 MiB`, `684 MiB`. Eight characters at most, up to 1000 PiB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes / 1024;
  let unit = 0;
  while (Math.round(value) >= 1024 && unit < IEC_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)} ${IEC_UNITS[unit]}`;
}

/** A number of things: `1 version`, `1,234 versions`. */
export function formatCount(count: number, singular: string, plural: string): string {
  return `${formatNumber(count)} ${count === 1 ? singular : plural}`;
}

/** A whole number with its thousands set apart: `1,234`. */
export function formatNumber(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

const IEC_UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
