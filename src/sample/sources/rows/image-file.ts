// Image bytes from wherever a row names them: what kind they are, and files under a root that no
// path leaves. Decodes nothing.
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
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
  return await withFile(root, path, async (file, size) => {
    if (size > MAX_IMAGE_BYTES) throw new Error(`an image of ${size} bytes`);
    return await file.readFile();
  });
}

/** Reads a part of a file below `root`. @throws Error as above, and when the file ends before. */
export async function readImageRange(
  root: string,
  path: string,
  offset: number,
  size: number,
): Promise<Buffer> {
  const isRange = Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(size);
  if (!isRange || size < 0) throw new Error('an image has no usable range');
  if (size > MAX_IMAGE_BYTES) throw new Error(`an image of ${size} bytes`);
  return await withFile(root, path, async (file, fileSize) => {
    if (offset + size > fileSize) throw new Error('an image lies beyond the end of its file');
    const { buffer } = await file.read(Buffer.alloc(size), 0, size, offset);
    return buffer;
  });
}

async function withFile<T>(
  root: string,
  path: string,
  use: (file: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  // O_NONBLOCK: opening a named pipe would otherwise wait for ever.
  const real = await resolveInside(root, path);
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error('an image is not a plain file');
    return await use(file, stat.size);
  } finally {
    await file.close();
  }
}

/** The real path of a file that may not lie outside of the root, links followed. */
async function resolveInside(root: string, path: string): Promise<string> {
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
  return real;
}

async function resolve(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    throw new Error('an image file is missing');
  }
}
