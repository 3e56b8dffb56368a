// The loader: order kept from any cursor, threads change nothing, bad images are left out, caches
// are bounded.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { prepareTinyRun, TINY_SPEC } from '../../../test/support/tiny-run.ts';
import { OneVisionError } from '../../core/errors.ts';
import { createRandom } from '../../core/hash.ts';
import { augmentSchema } from '../../image/augment/augment.ts';
import { dealByCost } from '../../pack/balance/deal.ts';
import { measureSample } from '../../pack/lengths.ts';
import {
  drawOrder,
  openOrder,
  orderEntry,
  orderLength,
  readOrder,
  writeOrder,
} from '../../pack/order.ts';
import { openPacks } from '../../pack/read.ts';
import { loadTokenizer } from '../../text/tokenizer.ts';
import { Assembler } from './assemble.ts';
import {
  type AssemblyLine,
  type AssemblySpec,
  localAssembly,
  workerAssembly,
} from './assembly-line.ts';
import { openDealing } from './dealing.ts';
import { Loader } from './loader.ts';
import { LruCache } from './lru.ts';
import { openPackSets } from './pack-sets.ts';
import type { AssembledPack } from './segments.ts';

let dir = '';
let spec: AssemblySpec;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'data-'));
  await prepareTinyRun(dir);
  spec = {
    packDirs: [join(dir, 'packs'), join(dir, 'packs')],
    tokenizer: join(dir, 'tokenizer'),
    settings: { ...TINY_SPEC, augment: { '*': augmentSchema.parse({ rotation: 0.3, flip: 0.5 }) } },
  };
});
after(() => rmSync(dir, { recursive: true }));

test('an epoch holds every pack once, the next one in another order, and phases follow', async () => {
  const order = drawOrder(
    [
      { sets: [{ numPacks: 7 }], length: 16 },
      { sets: [{ numPacks: 3 }], length: 3 },
    ],
    5,
  );
  assert.equal(orderLength(order), 19);
  const entries = Array.from({ length: 19 }, (_, i) => orderEntry(order, i));
  const packs = entries.map((entry) => entry.pack);
  assert.deepEqual(packs.slice(0, 7).sort(), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(packs.slice(7, 14).sort(), [0, 1, 2, 3, 4, 5, 6]);
  assert.notDeepEqual(packs.slice(0, 7), packs.slice(7, 14));
  assert.deepEqual(packs.slice(16).sort(), [7, 8, 9]);
  assert.deepEqual(
    [entries[6]?.visit, entries[7]?.visit, entries[15]?.visit, entries[16]?.visit],
    [0, 1, 2, 0],
  );
  assert.deepEqual(
    drawOrder(
      [
        { sets: [{ numPacks: 7 }], length: 16 },
        { sets: [{ numPacks: 3 }], length: 3 },
      ],
      5,
    ),
    order,
  );
  await writeOrder(join(dir, 'a.order'), order);
  assert.deepEqual(readOrder(join(dir, 'a.order')), order);
  assert.throws(() => orderEntry(order, 19), RangeError);
  assert.throws(
    () => drawOrder([{ sets: [{ numPacks: 0 }], length: 1 }], 1),
    (error) => error instanceof OneVisionError && error.code === 'data',
  );
});

/** A copy whose arrays are not overwritten when the loader goes on. */
function kept(pack: AssembledPack): AssembledPack {
  const arrays = Object.entries(pack.batch).map(([name, array]) => [name, array.slice()]);
  return { ...pack, batch: Object.fromEntries(arrays) };
}

async function takeAll(
  line: AssemblyLine,
  firstStep: number,
  prefetch: number,
): Promise<AssembledPack[]> {
  const order = drawOrder([{ sets: [{ numPacks: 20 }], length: 40 }], 1);
  const loader = new Loader({ order, packsPerStep: 4, firstStep, prefetch, line });
  const packs: AssembledPack[] = [];
  for (let step = firstStep; step < 10; step += 1) {
    packs.push(...(await loader.next()).packs.map(kept));
  }
  await assert.rejects(loader.next(), RangeError);
  await loader.close();
  return packs;
}

test('threads, prefetch and the starting point change no byte', async () => {
  const expected = await takeAll(localAssembly(spec), 0, 1);
  assert.deepEqual(await takeAll(workerAssembly(spec, 2), 0, 3), expected);
  assert.deepEqual(await takeAll(workerAssembly(spec, 1), 7, 5), expected.slice(28));
});

test('ranks share every step by cost, and together read what one would', async () => {
  const order = drawOrder([{ sets: [{ numPacks: 20 }], length: 40 }], 1);
  const path = join(dir, 'ranks.order');
  await writeOrder(path, order);
  const read = async (numRanks: number): Promise<string[]> => {
    const dealing = await openDealing(spec.packDirs, numRanks);
    const loaders = Array.from({ length: numRanks }, (_, rank) => {
      const line = localAssembly(spec);
      const common = { order: path, packsPerStep: 4, firstStep: 2, prefetch: 2 };
      return new Loader({ ...common, line, share: (entries) => dealing.share(entries, rank) });
    });
    const keys: string[] = [];
    for (let step = 0; step < 3; step += 1) {
      const own: string[] = [];
      for (const loader of loaders) {
        const { entries, packs } = await loader.next();
        assert.equal(entries.length, 4);
        own.push(...packs.map(({ key }) => key));
      }
      keys.push(...own.sort());
    }
    await Promise.all(loaders.map((loader) => loader.close()));
    return keys;
  };
  const alone = await read(1);
  assert.equal(alone.length, 12);
  for (const numRanks of [2, 3, 5]) assert.deepEqual(await read(numRanks), alone);
});

test('packs are dealt so that ranks cost about the same; some may get none', () => {
  assert.deepEqual(dealByCost([1, 9, 2, 8], 2), [
    [0, 1],
    [2, 3],
  ]);
  assert.deepEqual(dealByCost([5, 5], 3), [[0], [1], []]);
  const random = createRandom('deal');
  for (let i = 0; i < 50; i += 1) {
    const costs = Array.from({ length: 12 }, () => random.next());
    const hands = dealByCost(costs, 3);
    assert.deepEqual(
      hands.flat().sort((a, b) => a - b),
      costs.map((_, j) => j),
    );
    const sums = hands.map((hand) => hand.reduce((sum, j) => sum + (costs[j] ?? 0), 0));
    const mean = costs.reduce((a, b) => a + b) / 3;
    assert.ok(Math.max(...sums) < mean + Math.max(...costs));
  }
});

test('any place of an order file is read without the rest', async () => {
  const order = drawOrder([{ sets: [{ numPacks: 9000 }], length: 20_000 }], 1);
  const path = join(dir, 'long.order');
  await writeOrder(path, order);
  const file = openOrder(path);
  assert.equal(file.length, 20_000);
  for (const position of [19_999, 0, 4095, 4096, 12_345, 12_344]) {
    assert.deepEqual(file.entry(position), orderEntry(order, position));
  }
  assert.throws(() => file.entry(20_000), RangeError);
  assert.throws(() => file.entry(-1), RangeError);
  file.close();
  writeFileSync(path, Buffer.alloc(12));
  assert.throws(
    () => openOrder(path),
    (error) =>
      error instanceof OneVisionError && error.code === 'data' && /12 bytes/.test(error.message),
  );
});

test('steps are assembled ahead while the trainer works, and no further', async () => {
  const asked: number[] = [];
  const released: string[] = [];
  const pack = await localAssembly(spec).assemble({ pack: 0, visit: 0 });
  const line: AssemblyLine = {
    assemble: async (entry) => {
      asked.push(entry.pack);
      return { ...pack, key: `${entry.pack}` };
    },
    release: ({ key }) => released.push(key),
    close: async () => undefined,
  };
  const order = Uint32Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? i / 2 : 0));
  const loader = new Loader({ order, packsPerStep: 2, firstStep: 1, prefetch: 3, line });
  assert.deepEqual(asked, [2, 3, 4, 5, 6, 7]);
  await loader.next();
  assert.deepEqual(asked.slice(6), [8, 9]);
  assert.deepEqual(released, []);
  await loader.next();
  assert.deepEqual(released, ['2', '3']);
  await loader.close();
});

test('workers put packs into blocks of memory that are used again', async () => {
  const line = workerAssembly(spec, 2);
  const expected = localAssembly(spec);
  let numReused = 0;
  for (let pack = 0; pack < 12; pack += 1) {
    const assembled = await line.assemble({ pack, visit: 0 });
    const block = assembled.batch.pixels.buffer;
    assert.ok(block instanceof SharedArrayBuffer);
    // The last byte of a block is spare; a mark left there shows that the block was here before.
    const spare = new Uint8Array(block, block.byteLength - 1);
    if (spare[0] === 77) numReused += 1;
    spare[0] = 77;
    assert.deepEqual(kept(assembled), await expected.assemble({ pack, visit: 0 }));
    line.release(assembled);
    line.release(assembled); // once is enough
  }
  await line.close();
  await expected.close();
  assert.ok(numReused >= 6, `${numReused} of 12 packs in a block that was used before`);
});

test('a second visit of a pack is augmented anew, a repeat of the same visit is not', async () => {
  const line = localAssembly(spec);
  const [first, again, second] = await Promise.all([
    line.assemble({ pack: 4, visit: 0 }),
    line.assemble({ pack: 4, visit: 0 }),
    line.assemble({ pack: 4, visit: 1 }),
  ]);
  await line.close();
  assert.deepEqual(again, first);
  assert.deepEqual(second.batch.inputIds, first.batch.inputIds);
  assert.notDeepEqual(second.batch.pixels, first.batch.pixels);
});

test('a sample that cannot be decoded is left out with its reason', async () => {
  const assembler = new Assembler(loadTokenizer(spec.tokenizer), TINY_SPEC);
  using reader = openPacks(join(dir, 'packs'));
  const pack = reader.read(0);
  const broken = pack.samples.findIndex((sample) => sample.images.length > 0);
  const samples = pack.samples.map((sample, index) =>
    index === broken
      ? { ...sample, images: [{ name: 'img0.png', bytes: Buffer.from('no') }] }
      : sample,
  );
  const whole = await new Assembler(loadTokenizer(spec.tokenizer), TINY_SPEC).assemble(pack, 0);
  const part = await assembler.assemble({ ...pack, samples }, 0);
  assert.equal(part.uids.length, whole.uids.length - 1);
  assert.deepEqual(
    part.skipped.map((skip) => skip.uid),
    [pack.samples[broken]?.uid],
  );
  assert.match(part.skipped[0]?.reason ?? '', /image/);
});

test('an image that is larger than its plan says is left out', async () => {
  const assembler = new Assembler(loadTokenizer(spec.tokenizer), TINY_SPEC);
  using reader = openPacks(join(dir, 'packs'));
  const pack = reader.read(0);
  const samples = pack.samples.map((sample) => ({ ...sample, tokens: sample.tokens + 1 }));
  const assembled = await assembler.assemble({ ...pack, samples }, 0);
  assert.equal(assembled.uids.length, 0);
  assert.match(assembled.skipped[0]?.reason ?? '', /as planned/);
});

test('an image whose header lies is packed by its header and left out by the loader', async () => {
  using reader = openPacks(join(dir, 'packs'));
  const tokenizer = loadTokenizer(spec.tokenizer);
  const honest = reader.read(0).samples.find((sample) => sample.images.length === 1);
  assert.ok(honest !== undefined);
  const lie = Buffer.from(honest.images[0]?.bytes ?? []);
  lie.writeUInt32BE(4096, 16); // the width in IHDR
  const sample = { ...honest, images: [{ name: 'img0.png', bytes: lie }] };
  const lengths = await measureSample(sample, { tokenizer, processor: TINY_SPEC.processor });
  assert.ok(lengths.tokens > 0);
  const pack = { key: 'ps_0', samples: [{ ...sample, ...lengths }, honest] };
  const assembled = await new Assembler(tokenizer, TINY_SPEC).assemble(pack, 0);
  assert.deepEqual(assembled.uids, [honest.uid]);
  assert.deepEqual(
    assembled.skipped.map(({ uid }) => uid),
    [honest.uid],
  );
});

test('a worker that has died fails what waits and what comes after', async () => {
  const line = workerAssembly({ ...spec, packDirs: [join(dir, 'nowhere')] }, 1);
  await assert.rejects(line.assemble({ pack: 0, visit: 0 }), /nowhere/);
  await assert.rejects(line.assemble({ pack: 1, visit: 0 }), /nowhere/);
  await line.close();
});

test('pack sets are numbered one after the other', () => {
  const sets = openPackSets(spec.packDirs);
  const count = sets.readers[0]?.numPacks ?? 0;
  assert.equal(sets.read(count + 2).key, sets.read(2).key);
  assert.throws(() => sets.read(2 * count), RangeError);
  sets.close();
});

test('the cache forgets what was used longest ago', () => {
  const cache = new LruCache<string>(10);
  cache.set('a', 'A', 4);
  cache.set('b', 'B', 4);
  assert.equal(cache.get('a'), 'A');
  cache.set('c', 'C', 4);
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], ['A', undefined, 'C']);
  cache.set('huge', 'H', 11);
  assert.equal(cache.get('huge'), undefined);
  cache.set('a', 'AA', 6);
  assert.deepEqual([cache.get('a'), cache.get('c')], ['AA', 'C']);
});
