// The report page: self-contained, honest about its figures, safe against what captions contain.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { rawSample, writeRaw } from '../../../test/support/raw-samples.ts';
import { silentLog } from '../../core/log.ts';
import { curate } from '../curate.ts';
import { readReport } from '../report/report-file.ts';
import { writePage } from './write-page.ts';

const root = mkdtempSync(join(tmpdir(), 'page-'));
after(() => rmSync(root, { recursive: true }));

test('a curated folder becomes one page with its figures and pictures', async () => {
  const labels = ['a cat', 'a dog', 'a cat <script>alert(1)</script>', 'gramastar wed', '?'];
  const samples = await Promise.all(
    labels.map((label, i) => rawSample({ uid: `p:${i}`, label, group: `g${i + 1}` })),
  );
  await writeRaw(join(root, 'raw'), samples, 2);
  const output = join(root, 'out');
  const lemmas = ['cat', 'dog', 'wed'];
  await curate({ input: join(root, 'raw'), output, lemmas, log: silentLog });
  const report = readReport(output);
  assert.equal(report.numInput, 5);
  assert.equal(
    report.funnel.reduce((sum, { count }) => sum + count, 0),
    5,
  );
  assert.deepEqual(report.gone, [['wed', 1, 0, 0]]);
  assert.deepEqual(report.sizes, [['32', 5, report.numWritten]]);
  assert.equal(report.examples['boilerplate']?.[0]?.uid, 'p:3');

  const { path, numPictures } = await writePage(output);
  assert.equal(numPictures, 5);
  const page = readFileSync(path, 'utf8');
  assert.ok(page.includes('&lt;script&gt;alert(1)'), 'captions are text');
  assert.doesNotMatch(page, /<script|https?:\/\/(?!www\.w3\.org)/, 'no script, no network');
  assert.equal(page.match(/data:image\/webp;base64/g)?.length, 5);
  assert.match(page, /<polyline/);

  rmSync(join(root, 'raw'), { recursive: true });
  assert.equal((await writePage(output)).numPictures, 0, 'without the input: captions alone');
});

test('a folder that was not curated is a named error', async () => {
  await assert.rejects(writePage(root), /expected a JSON file at .*report\.json/);
});
