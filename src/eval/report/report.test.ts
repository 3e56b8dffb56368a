// The table, results.json and the contact sheet.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import type { Summary } from '../outcome.ts';
import { renderGallery } from './gallery.ts';
import { readResults, resultsTable, writeResults } from './report.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-report-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

const summary: Summary = {
  format: 'onevision-eval/1',
  benchmark: 'unseen-style',
  title: 'unseen style, 4 options',
  identity: 'abc',
  scorer: 'choice by mean loss',
  items: 200,
  correct: 130,
  accuracy: 0.65,
  interval: { low: 0.581, high: 0.713 },
  intervalMethod: 'cluster-bootstrap',
  chance: 0.25,
  outcomes: {
    correct: 130,
    wrong: 68,
    unparsed: 2,
    truncated: 0,
    refused: 0,
    'model-error': 0,
    'judge-error': 0,
    skipped: 0,
  },
  bands: { head: { items: 90, correct: 63, accuracy: 0.7 } },
};

test('the table has one aligned line a benchmark', () => {
  const { chance: _, bands: __, ...rest } = summary;
  const table = resultsTable([summary, { ...rest, title: 'numbers', accuracy: 0.075 }]);
  const lines = table.split('\n');
  assert.match(lines[1] ?? '', /65\.0 %\s+58\.1 % – 71\.3 %\s+25\.0 %\s+200\s+.*2 unparsed/);
  assert.equal(lines[1]?.indexOf('%'), lines[2]?.indexOf('%'));
  assert.match(table, /head.*\n.*70\.0 % of 90/);
});

test('results.json reads back', async () => {
  const path = await writeResults(root, 'step-000200', [summary]);
  assert.deepEqual(readResults(path).benchmarks['unseen-style'], summary);
});

test('the gallery is a PNG with a tile for each item and survives any text', async () => {
  const create = { width: 84, height: 84, channels: 3, background: '#c33' } as const;
  const image = await sharp({ create }).png().toBuffer();
  const base = { image, question: '<image>What is "this" & <that>?', answer: 'a\u0007b' };
  const path = join(root, 'gallery.png');
  await renderGallery(
    path,
    Array.from({ length: 5 }, (_, index) => ({
      ...base,
      prediction: index === 0 ? '' : 'a very long answer that cannot fit into one tile at all',
      isCorrect: index % 2 === 0,
    })),
    { columns: 3, pictureSide: 84 },
  );
  const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  assert.equal(info.width, 3 * 100 + 16);
  assert.equal(info.height, 2 * 176 + 16);
  assert.ok(
    (data[info.channels * (30 * info.width + 30)] ?? 0) > 180,
    'the first picture is there',
  );
});
