// A fast part of the fuzz of sources: malformed inputs of every format end in the ledger, each with
// its reason. `node test/fuzz/fuzz-sources.ts 2400` is the whole.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzFormat } from './fuzz-sources.ts';
import { countOf, FORMATS } from './inputs.ts';

const NUM_INPUTS = 240;

for (const format of FORMATS) {
  test(`malformed ${format}: no crash, no silent loss, the right verdicts`, async () => {
    const count = countOf(format, NUM_INPUTS);
    const { numInputs, faults, numRows, reasons } = await fuzzFormat(format, count, 7);
    assert.deepEqual(faults, []);
    assert.equal(numInputs, count);
    assert.ok(numRows >= count);
    assert.ok(reasons.size > 4, `${reasons.size} reasons`);
  });
}

test('memory stays bounded', () => {
  const mib = process.resourceUsage().maxRSS / 1024;
  assert.ok(mib < 1024, `${mib} MiB`);
});
