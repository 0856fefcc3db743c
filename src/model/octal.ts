/** Octal escapes of bytes, as C, vis(3) and the kernel's tables write them: `\040`. Law: `unescapeOctal(escapeOctal(b))` is `b`. */

/** @param byte a character of one byte. */
export function escapeOctal(byte: string): string {
  return `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`;
}

/** Bytes, a character each. */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
