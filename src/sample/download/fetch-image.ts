// Fetches one image: redirects followed by hand and checked, sizes and kind checked, opt-outs honoured.
import { createHash } from 'node:crypto';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { imageKind } from '../sources/rows/image-file.ts';
import { checkHost, isPublic, PrivateAddress, pinnedLookup } from './address.ts';

export interface FetchOptions {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly userAgent: string;
  /** Addresses that may be fetched from though they are not public; for tests. */
  readonly allow: readonly string[];
}

/** Why there is no image. `again` = another try may succeed. */
export class FetchFailure extends Error {
  readonly again: boolean;
  /** What the server asks to wait. */
  readonly waitMs: number;
  constructor(message: string, again: boolean, waitMs = 0) {
    super(message);
    this.name = 'FetchFailure';
    this.again = again;
    this.waitMs = waitMs;
  }
}

const MAX_REDIRECTS = 5;
const MAX_URL = 4096;
/** Wishes of the owner that stand against training (and indexing) on an image. */
const OPT_OUTS: readonly string[] = ['noai', 'noimageai', 'noindex', 'noimageindex', 'none'];

/**
 * The bytes behind an address.
 * @throws FetchFailure with the reason.
 */
export async function fetchImage(address: string, options: FetchOptions): Promise<Buffer> {
  const signal = AbortSignal.timeout(options.timeoutMs);
  let url = parseUrl(address);
  try {
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await get(url, options, signal);
      const { statusCode = 0, headers } = response;
      if (statusCode < 300 || statusCode >= 400 || headers.location === undefined) {
        return await readImage(response, options.maxBytes);
      }
      response.destroy();
      url = parseUrl(headers.location, url);
    }
    throw new FetchFailure(`more than ${MAX_REDIRECTS} redirects`, false);
  } catch (error) {
    if (error instanceof FetchFailure) throw error;
    if (error instanceof PrivateAddress) throw new FetchFailure('not a public address', false);
    if (signal.aborted) throw new FetchFailure('too slow', true);
    throw new FetchFailure(networkReason(error), true);
  }
}

function parseUrl(text: string, base?: URL): URL {
  if (text.length > MAX_URL) throw new FetchFailure('an address that is too long', false);
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    throw new FetchFailure('not an address', false);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FetchFailure(`an address of ${url.protocol}`, false);
  }
  return url;
}

function get(url: URL, options: FetchOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const isAllowed = (address: string): boolean =>
    isPublic(address) || options.allow.includes(address);
  checkHost(url, isAllowed);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      headers: { 'user-agent': options.userAgent, accept: 'image/*' },
      lookup: pinnedLookup(isAllowed),
      agent: false,
      signal,
    });
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end();
  });
}

async function readImage(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const refuse = (message: string, again = false, waitMs = 0): FetchFailure => {
    response.destroy();
    return new FetchFailure(message, again, waitMs);
  };
  const { statusCode: status = 0, headers } = response;
  if (status === 429 || status === 503) {
    const seconds = Number(headers['retry-after'] ?? 0);
    throw refuse(`HTTP ${status}`, true, Number.isFinite(seconds) ? seconds * 1000 : 0);
  }
  if (status !== 200) throw refuse(`HTTP ${status}`, status >= 500 || status === 408);
  if (optsOut(headers)) throw refuse('the owner opts out');
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw refuse('encoded bytes');
  if (Number(headers['content-length'] ?? 0) > maxBytes)
    throw refuse(`more than ${maxBytes} bytes`);
  const parts: Buffer[] = [];
  let numBytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    numBytes += part.length;
    if (numBytes > maxBytes) throw refuse(`more than ${maxBytes} bytes`);
    parts.push(part);
  }
  const bytes = Buffer.concat(parts);
  if (imageKind(bytes) === undefined) throw refuse('not an image');
  return bytes;
}

/** `X-Robots-Tag: noai`, perhaps for one robot (`bot: noai`), and `TDM-Reservation: 1`. */
export function optsOut(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  if (String(headers['tdm-reservation'] ?? '').trim() === '1') return true;
  const tags = [headers['x-robots-tag'] ?? []].flat();
  const words = tags.flatMap((tag) => tag.toLowerCase().split(/[\s,:;]+/));
  return words.some((word) => OPT_OUTS.includes(word));
}

/** Whether bytes are those that a table promises. */
export function hasSha256(bytes: Uint8Array, expected: string): boolean {
  return createHash('sha256').update(bytes).digest('hex') === expected.toLowerCase();
}

function networkReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === '' ? String(error instanceof Error ? error.message : error) : code;
}
