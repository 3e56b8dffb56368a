// A checkpoint written by all ranks at once while training goes on. Rank 0 gives the folder its name
// when every rank has said what it wrote.

import { setTimeout } from 'node:timers/promises';
import { OneVisionError } from '../../core/errors.ts';
import { writeIndex } from '../../model/checkpoint/shards.ts';
import { type SaveCompanions, saveSurroundings } from '../../model/checkpoint.ts';
import type { OneVision } from '../../model/onevision.ts';
import type { ProcessGroup } from '../../parallel/process-group.ts';
import type { Learner } from '../learner.ts';
import { beginCheckpoint, saveCheckpointFolder, type TrainState } from '../saving/checkpoints.ts';
import type { FileDigest } from '../saving/digest.ts';
import { type RankFiles, RankSnapshot } from './rank-snapshot.ts';
import type { Ranks } from './ranks.ts';

const POLL_MS = 20;
let numSaves = 0;

export interface RankSave {
  readonly learner: Learner;
  readonly ranks: Ranks;
  readonly parent: string;
  readonly state: TrainState;
  readonly companions: SaveCompanions;
  /** Aborted when this rank stops: nobody waits for the others any more. */
  readonly stopped: AbortSignal;
}

type Answer = RankFiles | { readonly error: string };

/** Copies this rank's share; every rank calls it. @returns the work of writing it. */
export async function beginRankSave(save: RankSave): Promise<() => Promise<void>> {
  const { learner, ranks, parent, state } = save;
  const { shards, model } = learner;
  const { group } = ranks;
  if (shards === undefined || group === undefined) throw new RangeError('expected several ranks');
  const own = ranks.rank === 0 ? await beginCheckpoint(parent, state.step, 'ranks') : '';
  const [folder = ''] = ranks.exchange(own, 'folder of the checkpoint');
  const snapshot = new RankSnapshot(learner, shards);
  numSaves += 1;
  const key = (rank: number): string => `saved/${numSaves}/${rank}`;
  const keys = Array.from({ length: ranks.size }, (_, rank) => key(rank));
  const facts = { config: model.config, dtype: model.dtype };
  return async () => {
    using copies = snapshot;
    try {
      group.post(key(ranks.rank), JSON.stringify(await copies.write(folder)));
    } catch (error) {
      group.post(key(ranks.rank), JSON.stringify({ error: String(error) }));
      throw error;
    }
    if (ranks.rank === 0) await finish(save, folder, facts, () => gatherAnswers(save, group, keys));
  };
}

async function finish(
  { parent, state, companions }: RankSave,
  folder: string,
  facts: Pick<OneVision, 'config' | 'dtype'>,
  answers: () => Promise<RankFiles[]>,
): Promise<void> {
  const write = async (dir: string): Promise<ReadonlyMap<string, FileDigest>> => {
    await saveSurroundings(dir, facts, companions);
    const all = await answers();
    const weights = all.flatMap((part) => part.weights);
    const isOne = new Set(weights.map(([, file]) => file)).size === 1;
    const bytes = all.reduce((sum, { weightBytes }) => sum + weightBytes, 0);
    if (!isOne) await writeIndex(dir, Object.fromEntries(weights), bytes);
    return new Map(all.flatMap(({ files }) => files));
  };
  await saveCheckpointFolder(parent, state, write, folder);
}

/** What every rank has written, once all have. */
async function gatherAnswers(
  { stopped }: RankSave,
  group: ProcessGroup,
  keys: readonly string[],
): Promise<RankFiles[]> {
  const answers: RankFiles[] = [];
  for (const [rank, key] of keys.entries()) {
    let text = group.read(key);
    while (text === null) {
      await setTimeout(POLL_MS, undefined, { signal: stopped });
      text = group.read(key);
    }
    const answer = JSON.parse(text) as Answer;
    if ('error' in answer) {
      throw new OneVisionError('disk', `expected rank ${rank} to write its files: ${answer.error}`);
    }
    answers.push(answer);
  }
  return answers;
}
