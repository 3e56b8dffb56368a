// A stage's order: several pack sets with weights, and steps of equal cost.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TINY_PROCESSOR } from '../../../test/support/tiny-data.ts';
import { prepareTinyRun, tinyStages } from '../../../test/support/tiny-run.ts';
import { silentLog } from '../../core/log.ts';
import { costOf, DEFAULT_COST } from '../../pack/balance/cost.ts';
import { syncEfficiency } from '../../pack/balance/steps.ts';
import { PackConfigSchema } from '../../pack/config.ts';
import { drawOrder, orderEntry, orderLength, readOrder } from '../../pack/order.ts';
import { pack } from '../../pack/pack.ts';
import { packRows } from '../../pack/write/pack-table.ts';
import { readManifest } from '../../sample/manifest.ts';
import { type PackSource, packFolders, prepareStages } from '../stage.ts';
import { prepareOrder } from './stage-data.ts';

let dir = '';
before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'stage-'));
  await prepareTinyRun(dir);
  await pack({
    inputs: [{ dir: join(dir, 'samples'), count: 40 }],
    output: join(dir, 'few'),
    config: PackConfigSchema.parse({ maxTokens: 128, maxPatches: 512 }),
    tokenizer: join(dir, 'tokenizer'),
    processor: TINY_PROCESSOR,
    log: silentLog,
  });
});
after(() => rmSync(dir, { recursive: true }));

/** The order of a stage of 30 steps of 4 packs on some sets. */
async function orderOf(packs: readonly PackSource[]) {
  const [stage] = tinyStages(dir, { packsPerStep: 4, steps: 30 });
  assert.ok(stage);
  const [prepared] = prepareStages([{ ...stage, phases: [{ packs }] }], 'start');
  assert.ok(prepared);
  const { order } = await prepareOrder(prepared, dir, join(dir, 'tokenizer'));
  const again = await prepareOrder(prepared, dir, join(dir, 'tokenizer'));
  assert.equal(again.order, order);
  return { order: readOrder(order), prepared };
}

test('pack sets of a phase get their shares, in every window of steps', async () => {
  const [all, few] = [join(dir, 'packs'), join(dir, 'few')];
  const { order, prepared } = await orderOf([
    { from: all, weight: 3 },
    { from: few, weight: 1 },
  ]);
  assert.deepEqual(packFolders(prepared), [all, few]);
  const first = Number(readManifest(all).counts['packs']);
  const entries = Array.from({ length: orderLength(order) }, (_, i) => orderEntry(order, i));
  assert.equal(entries.length, 120);
  assert.equal(entries.filter(({ pack }) => pack < first).length, 90);
  const other = await orderOf([
    { from: all, weight: 1 },
    { from: few, weight: 1 },
  ]);
  assert.notEqual(other.prepared.historyHash, prepared.historyHash);
});

test('packs of a step cost about the same, so that ranks do not wait; none is left out', async () => {
  const from = join(dir, 'packs');
  const { order } = await orderOf([{ from }]);
  const costs: number[] = [];
  for await (const { squares, tokens, patchSquares } of packRows(from)) {
    costs.push(costOf(DEFAULT_COST, [squares, tokens, patchSquares]));
  }
  const plain = drawOrder([{ sets: [{ numPacks: costs.length }], length: 120 }], 1);
  const sorted = (packs: Uint32Array): string[] =>
    Array.from({ length: 120 }, (_, i) => JSON.stringify(orderEntry(packs, i))).sort();
  assert.deepEqual(sorted(order), sorted(plain));
  for (const ranks of [2, 4]) {
    const efficiency = (packs: Uint32Array): number =>
      syncEfficiency(packs, Float64Array.from(costs), { packsPerStep: 4, ranks });
    const [waits, before] = [1 - efficiency(order), 1 - efficiency(plain)];
    assert.ok(waits < before / 2, `${waits} of ${before}`);
  }
});

test('a phase whose sets cannot fill it is refused', async () => {
  const rejected = orderOf([{ from: join(dir, 'packs'), count: 7 }]);
  await assert.rejects(rejected, { code: 'recipe', message: /came 7/ });
});
