// Words that describe a collection and not its pictures: how many raw texts of the training side have
// them, how many of the curated ones, and which filter took the others.
//   node bench/boilerplate.ts RAW CURATED [word ...]
import { join } from 'node:path';
import { OneVisionError } from '../src/core/errors.ts';
import { sideOf } from '../src/curate/survey/row.ts';
import { LEDGER, readLedger } from '../src/sample/ledger.ts';
import { openSource } from '../src/sample/sources/open.ts';
import { readSource } from '../src/sample/sources/source.ts';

const WORDS = 'wed aug theme collection skin tone icon flat lemon clipart gramastar';

const [raw, curated, ...asked] = process.argv.slice(2);
if (raw === undefined || curated === undefined) {
  throw new OneVisionError('usage', 'Expected the folders RAW and CURATED.');
}
const words = asked.length > 0 ? asked : WORDS.split(' ');
const verdicts = new Map<string, string>();
for await (const { uid, verdict, reason } of readLedger(join(curated, LEDGER))) {
  verdicts.set(uid, verdict === 'keep' ? 'kept' : reason);
}
const found = new Map(words.map((word) => [word, new Map<string, number>()]));
for await (const { sample } of readSource(await openSource(raw))) {
  if (sample === undefined || sideOf(sample) !== 'train') continue;
  const { label, tags, description } = sample.meta;
  const text = [label, ...[tags ?? []].flat(), description].join(' ').toLowerCase();
  for (const word of new Set(text.match(/[a-z]+/g))) {
    const reasons = found.get(word);
    const reason = verdicts.get(sample.uid) ?? 'no row';
    reasons?.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
}
console.log('| word | raw texts | curated | taken by |');
for (const [word, reasons] of found) {
  const total = [...reasons.values()].reduce((sum, count) => sum + count, 0);
  const others = [...reasons].filter(([reason]) => reason !== 'kept').sort((a, b) => b[1] - a[1]);
  const taken = others.map(([reason, count]) => `${reason} ${count}`).join(', ');
  console.log(`| ${word} | ${total} | ${reasons.get('kept') ?? 0} | ${taken} |`);
}
