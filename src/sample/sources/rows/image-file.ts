// Image bytes from wherever a row names them: what kind they are, and files under a root that no
// path leaves. Decodes nothing.
import { constants, type Stats } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';

/** Larger files are no pictures to train on. */
export const MAX_IMAGE_BYTES: number = 64 * 1024 * 1024;

const SIGNATURES: readonly (readonly [kind: string, hex: string, offset: number])[] = [
  ['jpg', 'ffd8ff', 0],
  ['png', '89504e470d0a1a0a', 0],
  ['gif', '47494638', 0],
  ['tiff', '49492a00', 0],
  ['tiff', '4d4d002a', 0],
  ['avif', '6674797061766966', 4],
  ['avif', '6674797061766973', 4],
  ['avif', '667479706d696631', 4],
];

/** The kind of a picture by its first bytes, as a file extension; undefined for anything else. */
export function imageKind(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(16, bytes.byteLength));
  if (head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WEBP') {
    return 'webp';
  }
  const hex = head.toString('hex');
  return SIGNATURES.find(([, sign, at]) => hex.startsWith(sign, 2 * at))?.[0];
}

/**
 * Reads an image file below `root`.
 * @throws Error with the reason: outside of the root, no plain file, too large, not there.
 */
export async function readImageFile(root: string, path: string): Promise<Buffer> {
  if (path === '' || path.includes('\0')) throw new Error('an image has no usable path');
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) throw new Error('an image is an address, not a path');
  if (isAbsolute(path) || path.split(/[/\\]/).includes('..')) {
    throw new Error('an image path leaves its folder');
  }
  const [realRoot, real] = await Promise.all([realpath(root), resolve(join(root, path))]);
  const inside = relative(realRoot, real);
  if (inside.startsWith(`..${sep}`) || inside === '..' || isAbsolute(inside)) {
    throw new Error('an image path leaves its folder');
  }
  // O_NONBLOCK: opening a named pipe would otherwise wait for ever.
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return await readPlain(file, await file.stat());
  } finally {
    await file.close();
  }
}

async function readPlain(
  file: { readFile(): Promise<Buffer> },
  { size, ...stats }: Pick<Stats, 'size' | 'mode'>,
): Promise<Buffer> {
  if ((stats.mode & constants.S_IFMT) !== constants.S_IFREG) {
    throw new Error('an image is not a plain file');
  }
  if (size > MAX_IMAGE_BYTES) throw new Error(`an image of ${size} bytes`);
  return await file.readFile();
}

async function resolve(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    throw new Error('an image file is missing');
  }
}
