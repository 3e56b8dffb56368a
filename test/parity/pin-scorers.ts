// Writes golden/scoring-versions.json: version and behaviour of every scoring. Refuses a scoring that
// behaves otherwise under its old version.  node test/parity/pin-scorers.ts
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { SCORING_NAMES, SCORINGS } from '../../src/eval/scorers/scorings.ts';
import { fingerprint, readGoldenGroups } from '../support/golden-scorers.ts';

interface Pin {
  readonly version: number;
  readonly behaviour: string;
}

const file = new URL('golden/scoring-versions.json', import.meta.url);
const before: Record<string, Pin> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
const groups = readGoldenGroups();
const after: Record<string, Pin> = {};
for (const name of SCORING_NAMES) {
  const { version } = SCORINGS[name];
  const behaviour = fingerprint(name, groups);
  const old = before[name];
  if (old !== undefined && old.behaviour !== behaviour && version <= old.version) {
    throw new Error(`${name} behaves otherwise: raise its version above ${old.version} first.`);
  }
  after[name] = { version, behaviour };
}
writeFileSync(file, `${JSON.stringify(after, null, 1)}\n`);
