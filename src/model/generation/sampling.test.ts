// Sampling against transformers' logits processors: test/parity/golden/sampling.json, made by
// make-sampling.py. Draws at evenly spaced coins have the exact frequencies of the distribution.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromArray, memory, setNumThreads, tidy } from '../../tensor/index.ts';
import { chooseTokens, drawToken, GREEDY, type SamplingOptions } from './sampling.ts';

setNumThreads(1);

interface Golden {
  readonly logits: readonly number[];
  readonly seen: readonly number[];
  readonly cases: readonly {
    readonly options: Omit<SamplingOptions, 'seed'>;
    readonly ids: readonly number[];
    readonly probabilities: readonly number[];
  }[];
}

const url = new URL('../../../test/parity/golden/sampling.json', import.meta.url);
const golden: Golden = JSON.parse(readFileSync(url, 'utf8'));
const NUM_DRAWS = 300;

for (const { options, ids, probabilities } of golden.cases) {
  test(`the distribution is transformers': ${JSON.stringify(options)}`, () => {
    const counts = new Map<number, number>();
    tidy(() => {
      const row = fromArray(golden.logits, [golden.logits.length]);
      for (let i = 0; i < NUM_DRAWS; i++) {
        const settings = { ...options, seed: 0 };
        const id = tidy(() => drawToken(row, settings, () => golden.seen, (i + 0.5) / NUM_DRAWS));
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
    });
    const expected = new Map(ids.map((id, i) => [id, probabilities[i] as number]));
    for (const id of counts.keys()) assert.ok(expected.has(id), `${id} is cut`);
    for (const [id, probability] of expected) {
      const share = (counts.get(id) ?? 0) / NUM_DRAWS;
      assert.ok(
        Math.abs(share - probability) < 1.01 / NUM_DRAWS,
        `${id}: ${share}, ${probability}`,
      );
    }
  });
}

test('rows choose by themselves; log-probabilities are of the untouched distribution', () => {
  tidy(() => {
    const rows = [
      [1, 3, 2, -1],
      [5, 4, -2, 0],
    ];
    const logits = fromArray(rows.flat(), [2, 4], { dtype: 'bfloat16' });
    const chooser = (options: Partial<SamplingOptions>, prompt: number) => {
      return { options: { ...GREEDY, ...options }, prompt, step: 0, seen: () => [0, 2] };
    };
    const logProb = (row: number, id: number): number => {
      const values = rows[row] as number[];
      return (values[id] as number) - Math.log(values.reduce((sum, v) => sum + Math.exp(v), 0));
    };
    const plain = chooseTokens(logits, [chooser({}, 0), chooser({}, 1)]);
    assert.deepEqual(
      plain.map(({ id }) => id),
      [1, 0],
    );
    const mixed = chooseTokens(logits, [
      chooser({ temperature: 1, topK: 1 }, 0),
      chooser({ repetitionPenalty: 2 }, 1),
    ]);
    assert.deepEqual(
      mixed.map(({ id }) => id),
      [1, 1],
    );
    for (const [row, { id, logProb: came }] of mixed.entries()) {
      assert.ok(Math.abs(came - logProb(row, id)) < 1e-6);
    }
  });
  const before = memory();
  const free = tidy(() =>
    chooseTokens(fromArray([0, 1], [1, 2]), [
      { options: { ...GREEDY, temperature: 1 }, prompt: 3, step: 4, seen: () => [] },
    ]),
  );
  assert.equal(free.length, 1);
  assert.deepEqual(memory(), before);
});
