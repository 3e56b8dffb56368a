// Checkpoint folders of a run: written whole or not at all, verified before use, pruned. What is in
// them beside state.json is the caller's business.

import { existsSync, readdirSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import { diskError, readJson, writeFileAtomic } from '../../core/files.ts';
import { stepName } from '../../track/protocol.ts';
import type { StepNumbers } from '../watch/spikes.ts';
import { digestFiles, type FileDigest } from './digest.ts';

/** Sums since the last line of metrics, by source; kept so that a resumed run logs the same. */
export interface SourceWindow {
  readonly sum: number;
  readonly weight: number;
  readonly tokens: number;
}

/** state.json: where training stands. With weights and optimizer state it is all there is. */
export interface TrainState {
  readonly format: 'onevision-state/1';
  /** Steps done over all stages. */
  readonly step: number;
  readonly stage: string;
  /** Steps done in this stage: the cursor into its order of packs. */
  readonly stageStep: number;
  readonly stageSteps: number;
  /** Hash of everything that decides the weights up to here. */
  readonly historyHash: string;
  readonly tokens: number;
  readonly numSkipped: number;
  readonly window: Readonly<Record<string, SourceWindow>>;
  /** Loss and gradient norm of the last steps, which the next ones are judged by. */
  readonly recent?: readonly StepNumbers[] | undefined;
}

const FileSchema = z.strictObject({ name: z.string(), bytes: z.number(), sha256: z.string() });
const StateSchema = z.object({
  format: z.literal('onevision-state/1'),
  step: z.int().nonnegative(),
  stage: z.string(),
  stageStep: z.int().nonnegative(),
  stageSteps: z.int().positive(),
  historyHash: z.string(),
  tokens: z.number(),
  numSkipped: z.number(),
  window: z.record(
    z.string(),
    z.object({ sum: z.number(), weight: z.number(), tokens: z.number() }),
  ),
  recent: z.array(z.object({ loss: z.number(), gradNorm: z.number() })).optional(),
  /** What the folder holds; a checkpoint that differs is torn. */
  files: z.array(FileSchema),
});

/** A checkpoint that passed verification. */
export interface FoundCheckpoint {
  readonly dir: string;
  readonly state: TrainState;
}

/** Makes the empty folder that a checkpoint is written in. @param by whose it is */
export async function beginCheckpoint(
  parent: string,
  step: number,
  by: string = String(process.pid),
): Promise<string> {
  const temporary = join(parent, `.${stepName(step)}.${by}.tmp`);
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  return temporary;
}

/**
 * Writes a checkpoint: `write` fills a temporary folder, checksums and state follow, then it gets
 * its name. A kill at any point leaves the older checkpoints as they are.
 *
 * @param write returns the checksums it knows already
 * @param begun the temporary folder, where it is there already
 * @returns the folder.
 * @throws OneVisionError 'disk'.
 */
export async function saveCheckpointFolder(
  parent: string,
  state: TrainState,
  write: (dir: string) => Promise<ReadonlyMap<string, FileDigest> | undefined>,
  begun?: string,
): Promise<string> {
  const final = join(parent, stepName(state.step));
  let temporary = begun;
  try {
    temporary ??= await beginCheckpoint(parent, state.step);
    const known = (await write(temporary)) ?? new Map<string, FileDigest>();
    const folder = temporary;
    const names = (await readdir(folder)).sort();
    const unknown = names.filter((file) => !known.has(file));
    const digests = await digestFiles(unknown.map((file) => join(folder, file)));
    const files = names.map((file) => ({
      name: file,
      ...(known.get(file) ?? digests[unknown.indexOf(file)]),
    }));
    await writeFileAtomic(
      join(temporary, 'state.json'),
      `${JSON.stringify({ ...state, files }, null, 2)}\n`,
    );
    await rm(final, { recursive: true, force: true });
    await rename(temporary, final);
    await syncFolder(parent);
  } catch (error) {
    if (temporary !== undefined) {
      await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    }
    throw diskError(error, final);
  }
  return final;
}

/**
 * The newest checkpoint that is whole. Torn ones are reported and passed over.
 * @param onTorn called with the folder and what is wrong with it.
 */
export async function findCheckpoint(
  parent: string,
  onTorn: (dir: string, reason: string) => void,
): Promise<FoundCheckpoint | undefined> {
  for (const name of listCheckpoints(parent).reverse()) {
    const dir = join(parent, name);
    try {
      return { dir, state: await verify(dir) };
    } catch (error) {
      onTorn(dir, error instanceof Error ? error.message : String(error));
    }
  }
  return undefined;
}

/**
 * Removes all but the newest `keepLast` checkpoints and the milestones: the last one of each stage,
 * and every multiple of `keepEvery` steps where that is not 0.
 */
export async function pruneCheckpoints(
  parent: string,
  { keepLast, keepEvery }: { readonly keepLast: number; readonly keepEvery: number },
): Promise<void> {
  const names = listCheckpoints(parent);
  for (const name of names.slice(0, -keepLast)) {
    const path = join(parent, name, 'state.json');
    const { step, stageStep, stageSteps } = readJson(path, StateSchema, 'checkpoint');
    const isMilestone = stageStep >= stageSteps || (keepEvery > 0 && step % keepEvery === 0);
    if (!isMilestone) await rm(join(parent, name), { recursive: true });
  }
}

/** Removes what killed writers left behind. */
export async function sweepCheckpoints(parent: string): Promise<void> {
  if (!existsSync(parent)) return;
  const left = readdirSync(parent).filter((name) => /^\.step-.*\.tmp$/.test(name));
  for (const name of left) await rm(join(parent, name), { recursive: true, force: true });
}

function listCheckpoints(parent: string): string[] {
  if (!existsSync(parent)) return [];
  const names = readdirSync(parent).filter((name) => /^step-\d+$/.test(name));
  return names.sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)));
}

async function verify(dir: string): Promise<TrainState> {
  const { files, ...state } = readJson(join(dir, 'state.json'), StateSchema, 'checkpoint');
  const present = files.filter(({ name }) => existsSync(join(dir, name)));
  const digests = await digestFiles(present.map(({ name }) => join(dir, name)));
  for (const expected of files) {
    const came = digests[present.indexOf(expected)];
    if (came?.bytes === expected.bytes && came.sha256 === expected.sha256) continue;
    const size =
      came === undefined ? 'no file' : `other content (${came.bytes} of ${expected.bytes} bytes)`;
    throw new OneVisionError(
      'checkpoint',
      `expected ${join(dir, expected.name)} as it was saved, came ${size}`,
      {
        hint: 'the checkpoint before it is used instead',
      },
    );
  }
  return state;
}

/** Makes a rename last. Some file systems refuse to sync a folder; then so be it. */
async function syncFolder(dir: string): Promise<void> {
  try {
    await using handle = await open(dir, 'r');
    await handle.sync();
  } catch {
    // The content of the files has been synced already.
  }
}
