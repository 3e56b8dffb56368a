// The stored pairs of reply and gold, lmms-eval's scores of them, and a fingerprint of ours.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { createRandom, sha256Hex } from '../../src/core/hash.ts';
import { type AnsweredItem, PROFILES, scoreReply } from '../../src/eval/scorers/scorer.ts';
import { SCORINGS, type ScoringName } from '../../src/eval/scorers/scorings.ts';

/** Score of each reply: null where lmms-eval draws at random or asks a judge. */
export type GoldenScores = readonly (number | string | null)[];
export interface GoldenGroup extends Omit<AnsweredItem, 'uid'> {
  readonly scoring: ScoringName;
  readonly replies: readonly string[];
  readonly v05?: GoldenScores;
  readonly head?: GoldenScores;
}

const golden = (name: string): Buffer =>
  readFileSync(new URL(`../parity/golden/${name}`, import.meta.url));

export function readGoldenGroups(): GoldenGroup[] {
  const lines = gunzipSync(golden('scorers.jsonl.gz')).toString().trimEnd().split('\n');
  const weMath: GoldenGroup[] = JSON.parse(golden('wemath.json').toString());
  return [...lines.map((line) => JSON.parse(line)), ...weMath];
}

/** VLMEvalKit's scores by scoring, one list for each of its groups in their order. */
export function readOfficialScores(): Readonly<Record<string, readonly GoldenScores[]>> {
  return JSON.parse(gunzipSync(golden('official.json.gz')).toString());
}

/** Boxes as models write them, near a true one and far from it. */
function boxGroups(): GoldenGroup[] {
  return Array.from({ length: 60 }, (_, index): GoldenGroup => {
    const random = createRandom('box groups', index);
    const gold = [random.int(400), random.int(400), 500 + random.int(400), 500 + random.int(400)];
    const near = gold.map((value) => value + random.int(200) - 100);
    const list = near.join(', ');
    const shares = near.map((value) => value / 1000).join(',');
    return {
      scoring: 'box',
      answers: [`[${gold.join(', ')}]`],
      replies: [
        `[${list}]`,
        `(${list})`,
        list,
        near.join(' '),
        `[${shares}]`,
        `{"bbox": [${list}]}`,
        `It lies at [${list}].`,
        `[${list}] or [1, 2, 3, 4]`,
        `[${near.toReversed().join(', ')}]`,
        'in the middle',
        '',
      ],
    };
  });
}

/** Hash over the marks of every profile on the scoring's pairs; on MMStar's where it has none. */
export function fingerprint(name: ScoringName, groups: readonly GoldenGroup[]): string {
  const own = name === 'box' ? boxGroups() : groups.filter(({ scoring }) => scoring === name);
  const used = own.length > 0 ? own : groups.filter(({ scoring }) => scoring === 'mmstar');
  const marks = used.flatMap(({ replies, scoring: _, v05: __, head: ___, ...item }) =>
    replies.flatMap((text, index) =>
      PROFILES.map((profile) =>
        scoreReply(SCORINGS[name], { text }, { uid: `${index}`, ...item }, profile),
      ),
    ),
  );
  return sha256Hex(JSON.stringify([marks, SCORINGS[name].aggregators])).slice(0, 16);
}
