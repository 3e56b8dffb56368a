// Adopting as work in shards: every pack of one foreign archive is located and its samples measured.
// The archive stays where it is; what is written is one line a pack.
import { join } from 'node:path';
import { z } from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { writeFileAtomic } from '../../core/files.ts';
import { type ProcessorConfig, processorSchema } from '../../image/config.ts';
import { loadTokenizer } from '../../text/tokenizer.ts';
import { type RecordPlace, recordPlaces } from '../energon/records.ts';
import { LAYOUT_NAMES, type LayoutName } from '../layouts/layout.ts';
import { layoutOf } from '../layouts/layouts.ts';
import { type LengthContext, measureSample } from '../lengths.ts';
import { FilePool, sliceMembers } from '../ranges.ts';
import type { PackedSample } from '../record.ts';

export interface AdoptConfig {
  readonly input: string;
  readonly output: string;
  readonly layout: LayoutName;
  readonly tokenizer: string;
  readonly processor: ProcessorConfig;
  readonly maxTokens: number;
  readonly maxPatches: number;
}

/** One pack: where it lies, and what each of its samples costs. 0 tokens: it cannot be read. */
export interface AdoptedPack {
  readonly start: number;
  readonly size: number;
  readonly tokens: readonly number[];
  readonly patches: readonly number[];
}

/** A pack, or a sample of one, that is not trained on. */
export interface AdoptLoss {
  readonly uid: string;
  readonly reason: string;
  readonly isDrop: boolean;
}

/** What the task says of one archive. */
export interface AdoptedShard {
  readonly packs: number;
  readonly samples: number;
  readonly tokens: number;
  readonly patches: number;
  readonly losses: readonly AdoptLoss[];
}

const configSchema: z.ZodType<AdoptConfig> = z.strictObject({
  input: z.string(),
  output: z.string(),
  layout: z.enum(LAYOUT_NAMES),
  tokenizer: z.string(),
  processor: processorSchema,
  maxTokens: z.number(),
  maxPatches: z.number(),
});

/** Name of the file of lines for an archive. */
export function adoptedName(archive: string): string {
  return `${archive.replaceAll('/', '_')}.packs.jsonl`;
}

export const task: ShardTask = {
  open: (given) => {
    const config = configSchema.parse(given);
    const context = { tokenizer: loadTokenizer(config.tokenizer), processor: config.processor };
    const pool = new FilePool();
    return {
      run: (archive) => adoptArchive(archive, config, context, pool),
      close: () => pool.close(),
    };
  },
};

async function adoptArchive(
  archive: string,
  config: AdoptConfig,
  context: LengthContext,
  pool: FilePool,
): Promise<AdoptedShard> {
  const path = join(config.input, archive);
  const lines: string[] = [];
  const losses: AdoptLoss[] = [];
  const totals = { packs: 0, samples: 0, tokens: 0, patches: 0 };
  for (const place of placesUntilDamage(path, losses)) {
    const samples = readPack(place, path, config.layout, pool, losses);
    if (samples === undefined) continue;
    const tokens: number[] = [];
    const patches: number[] = [];
    for (const sample of samples) {
      const length = await measureOrLose(sample, context, losses);
      tokens.push(length.tokens);
      patches.push(length.patches);
    }
    const [numTokens, numPatches] = [sum(tokens), sum(patches)];
    if (numTokens > config.maxTokens || numPatches > config.maxPatches) {
      const reason = `${numTokens} tokens and ${numPatches} patches in one pack`;
      losses.push({ uid: place.key, reason, isDrop: true });
      continue;
    }
    const line: AdoptedPack = { start: place.offset, size: place.size, tokens, patches };
    lines.push(`${JSON.stringify(line)}\n`);
    totals.packs += 1;
    totals.samples += tokens.filter((count) => count > 0).length;
    totals.tokens += numTokens;
    totals.patches += numPatches;
  }
  await writeFileAtomic(join(config.output, adoptedName(archive)), lines.join(''));
  return { ...totals, losses };
}

/** The records up to where the archive is damaged. */
function* placesUntilDamage(path: string, losses: AdoptLoss[]): Generator<RecordPlace> {
  try {
    yield* recordPlaces(path);
  } catch (error) {
    losses.push({ uid: `${path}:rest`, reason: reasonOf(error), isDrop: false });
  }
}

function readPack(
  place: RecordPlace,
  path: string,
  layout: LayoutName,
  pool: FilePool,
  losses: AdoptLoss[],
): readonly PackedSample[] | undefined {
  try {
    const members = sliceMembers(pool.read(path, place.offset, place.size), path);
    const parts = members
      .filter(({ key }) => key === place.key)
      .map(({ part, bytes }) => ({ name: part, bytes }));
    return layoutOf(layout).decode(place.key, parts, path).samples;
  } catch (error) {
    losses.push({ uid: place.key, reason: reasonOf(error), isDrop: false });
    return undefined;
  }
}

async function measureOrLose(
  sample: PackedSample,
  context: LengthContext,
  losses: AdoptLoss[],
): Promise<{ tokens: number; patches: number }> {
  try {
    return await measureSample(sample, context);
  } catch (error) {
    losses.push({ uid: sample.uid, reason: reasonOf(error), isDrop: false });
    return { tokens: 0, patches: 0 };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
