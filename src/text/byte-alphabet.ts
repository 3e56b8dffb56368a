// GPT-2's printable alphabet: one character for each of the 256 byte values.

/** Character of each byte: printable Latin-1 stands for itself, the rest follows from U+0100. */
export const BYTE_TO_CHAR: readonly string[] = buildAlphabet();

/** Byte of each character of the alphabet. */
export const CHAR_TO_BYTE: ReadonlyMap<string, number> = new Map(
  BYTE_TO_CHAR.map((char, byte) => [char, byte]),
);

function buildAlphabet(): string[] {
  const chars: string[] = [];
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    chars.push(String.fromCharCode(printable ? byte : next));
    if (!printable) next += 1;
  }
  return chars;
}
