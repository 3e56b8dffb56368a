// Ranks that stop: a run goes on with another number of them; one that dies or hangs ends all, and its
// error is what the launcher says.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { maxDifference } from '../../../test/support/gradients.ts';
import { runRanks } from '../../../test/support/ranks.ts';
import { prepareRankRun, type RankCase, trainRank } from '../../../test/support/ranks-program.ts';
import { launchRanks } from '../../cluster/launch.ts';
import { OneVisionError } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { loadModel } from '../../model/checkpoint.ts';
import { setNumThreads } from '../../tensor/index.ts';

const PROGRAM = fileURLToPath(new URL('../../../test/support/ranks-program.ts', import.meta.url));
let dir = '';

before(async () => {
  setNumThreads(1);
  dir = mkdtempSync(join(tmpdir(), 'stops-'));
  await prepareRankRun(dir);
});
after(() => rmSync(dir, { recursive: true }));

function weightsOf(run: string): Map<string, number[]> {
  const checkpoints = join(dir, run, 'checkpoints');
  using model = loadModel(join(checkpoints, readdirSync(checkpoints).sort().at(-1) ?? ''));
  return new Map([...model.namedParameters()].map(([name, x]) => [name, x.toNumbers()]));
}

test('one process, two ranks, three ranks, one process: the run ends as if never stopped', async () => {
  const settings = { emaDecay: 0.9, packsPerStep: 3 };
  const expected = await trainRank(dir, { ...settings, run: 'whole' });
  const parts: readonly [size: number, own: Omit<RankCase, 'run'>][] = [
    [1, { stop: { step: 5, how: 'is told to' } }],
    [2, { stop: { step: 10, how: 'is told to' }, sharding: 'full' }],
    [3, { stop: { step: 15, how: 'is told to' }, sequenceRanks: 3 }],
    [1, {}],
  ];
  for (const [size, own] of parts) {
    const one: RankCase = { ...settings, ...own, run: 'parts' };
    const results = await runRanks(PROGRAM, size, [dir, JSON.stringify([one]), '60000']);
    const stopped = own.stop;
    for (const { code, errors } of results) {
      assert.equal(code, stopped === undefined ? 0 : 7, errors);
      if (stopped !== undefined) assert.match(errors, /stopped by SIGTERM after step \d+/);
    }
    if (stopped !== undefined) continue;
    const [, losses] = JSON.parse(results[0]?.output ?? '[]') as [string, number[]];
    for (const [i, loss] of losses.entries()) {
      const exact = expected.at(i - losses.length) ?? 0;
      assert.ok(Math.abs(loss - exact) < 1e-6 * exact, `${i}: ${loss}, ${exact}`);
    }
    // A signal is heard after its step or the next one.
    assert.ok(losses.length >= 2 && losses.length <= 5, `${losses.length} steps`);
  }
  const came = weightsOf('parts');
  for (const [name, values] of weightsOf('whole')) {
    assert.ok(maxDifference(came.get(name) ?? [], values) < 1e-5, name);
  }
});

for (const how of ['dies', 'hangs'] as const) {
  test(`a rank that ${how} ends all, and the launcher says so`, async () => {
    const one: RankCase = { run: how, stop: { step: 2, how } };
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', PROGRAM, dir];
    const timeoutMs = how === 'hangs' ? '4000' : '60000';
    const start = performance.now();
    await assert.rejects(
      launchRanks({
        ranks: 2,
        command: [...command, JSON.stringify([one]), timeoutMs],
        logs: join(dir, how, 'logs'),
        log: silentLog,
        graceMs: 3000,
      }),
      (error) => {
        assert.ok(error instanceof OneVisionError && error.code === 'parallel');
        const expected =
          how === 'dies'
            ? /^rank 1 of 2 ended with code 9/
            : /^rank 0 of 2 ended with code 7: error: rank 0: expected .* rank 1 has not begun it/;
        assert.match(error.message, expected);
        assert.match(error.hint ?? '', /rank-000[01]\.log/);
        return true;
      },
    );
    assert.ok(performance.now() - start < 60_000);
  });
}
