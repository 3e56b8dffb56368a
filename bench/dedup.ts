// Deduplication at scale on one machine: N 256-bit hashes with colours (default 10 million), of which
// a tenth are near-duplicates within 10 bits; then MinHash of captions against datatrove.
//   node bench/dedup.ts [millions]          hashes
//   node bench/dedup.ts text [rows] [python with datatrove]
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { createRandom, hashUint32 } from '../src/core/hash.ts';
import { createSignatureIndex, createSigner, MINHASH } from '../src/curate/dedup/minhash.ts';
import { openPictures } from '../src/curate/dedup/pictures.ts';

const LIMITS = { maxHamming: 10, maxColourDifference: 24 };
const WORDS =
  'the a red blue small old dog cat tree car house on in near with of two people sky sea'.split(
    ' ',
  );

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

function benchHashes(millions: number): void {
  const numRows = Math.round(millions * 1e6);
  const near = openPictures(numRows, LIMITS);
  const words = new Uint32Array(8);
  const bytes = new Uint8Array(words.buffer);
  const means = new Uint8Array(192);
  let begun = process.cpuUsage();
  let planted = 0;
  for (let row = 0; row < numRows; row++) {
    // Every tenth row repeats the row nine before it, with up to ten bits flipped.
    const base = row % 10 === 9 ? row - 9 : row;
    for (let k = 0; k < 8; k++) words[k] = hashUint32(base, k);
    means.fill(base & 255);
    if (base !== row) {
      planted += 1;
      for (let flips = row % 11; flips > 0; flips--) {
        const bit = hashUint32(row, 'bit', flips) & 255;
        words[bit >> 5] = (words[bit >> 5] as number) ^ (1 << (bit & 31));
      }
    }
    near.load(row, { hash: bytes, means });
  }
  const loaded = cpuSeconds(begun);
  begun = process.cpuUsage();
  const wall = performance.now();
  let found = 0;
  for (let row = 0; row < numRows; row++) {
    if (near.nearest(row) === undefined) near.add(row);
    else found += 1;
  }
  const seconds = cpuSeconds(begun);
  const gib = process.memoryUsage().rss / 2 ** 30;
  console.log(
    `${numRows} hashes: ${found} of ${planted} planted duplicates found, ${seconds.toFixed(0)} s of ` +
      `processor (${((performance.now() - wall) / 1000).toFixed(0)} s wall), ` +
      `${Math.round(numRows / seconds)} hashes/s, ${gib.toFixed(1)} GiB; made in ${loaded.toFixed(0)} s`,
  );
}

function caption(row: number): string {
  const random = createRandom('caption', row);
  const numWords = 12 + random.int(40);
  return Array.from({ length: numWords }, () => `${random.pick(WORDS)}${random.int(50)}`).join(' ');
}

function benchText(numRows: number, python: string | undefined): void {
  const texts = Array.from({ length: numRows }, (_, row) =>
    caption(row % 10 === 9 ? row - 1 : row),
  );
  const size = MINHASH.numBands * MINHASH.rowsPerBand;
  const sign = createSigner();
  for (const text of texts.slice(0, 500)) sign(text);
  let begun = process.cpuUsage();
  const all = new Uint32Array(size * numRows);
  for (const [row, text] of texts.entries()) all.set(sign(text), size * row);
  const signing = cpuSeconds(begun);
  begun = process.cpuUsage();
  const index = createSignatureIndex(all, 0.7);
  let found = 0;
  for (let row = 0; row < numRows; row++) {
    if (index.nearest(row) === undefined) index.add(row);
    else found += 1;
  }
  const searching = cpuSeconds(begun);
  const ours = numRows / signing;
  console.log(
    `signatures ${Math.round(ours)} rows/s, search ${Math.round(numRows / searching)} rows/s, ` +
      `${found} duplicates of ${Math.floor(numRows / 10)} planted`,
  );
  if (python === undefined) return;
  const script = join(import.meta.dirname, 'minhash-datatrove.py');
  const output = execFileSync(python, [script], { input: JSON.stringify(texts), encoding: 'utf8' });
  const [whole, hashed] = [...output.matchAll(/([\d.]+) rows\/s/g)].map((match) =>
    Number(match[1]),
  );
  console.log(
    `datatrove ${whole} rows/s in all, ${hashed} without splitting words; ` +
      `ratios ${(ours / (whole ?? 1)).toFixed(1)}, ${(ours / (hashed ?? 1)).toFixed(1)}`,
  );
}

const [first = '10', second, third] = process.argv.slice(2);
if (first === 'text') benchText(Number(second ?? 20_000), third);
else benchHashes(Number(first));
