// Writing as work in shards: one placement → one archive of packs with its index.
import { join } from 'node:path';
import { z } from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { type SourceSpec, sourceSpecSchema } from '../../sample/sources/source.ts';
import { LAYOUT_NAMES, type LayoutName } from '../layouts/layout.ts';
import { layoutOf } from '../layouts/layouts.ts';
import { type Archive, SampleFetcher } from './fetch.ts';
import { placementPath, readPlacement } from './placement.ts';
import { TarWriter } from './tar-writer.ts';

export interface WriteConfig {
  /** Folder of the placements. */
  readonly placements: string;
  readonly output: string;
  readonly sources: readonly SourceSpec[];
  /** Where samples lie: one a shard of the sources. */
  readonly archives: readonly Archive[];
  readonly layout: LayoutName;
}

const configSchema: z.ZodType<WriteConfig> = z.strictObject({
  placements: z.string(),
  output: z.string(),
  sources: z.array(sourceSpecSchema),
  archives: z.array(
    z.strictObject({
      path: z.string().optional(),
      source: z.int(),
      context: z.strictObject({
        name: z.string(),
        shard: z.string().optional(),
        imageRoot: z.string(),
      }),
    }),
  ),
  layout: z.enum(LAYOUT_NAMES),
});

export const task: ShardTask = {
  open: (given) => {
    const config = configSchema.parse(given);
    const layout = layoutOf(config.layout);
    const fetcher = new SampleFetcher(config.archives, config.sources);
    return {
      run: async (shard) => {
        const placement = readPlacement(placementPath(config.placements, shard));
        await fetcher.gather(placement);
        const writer = await TarWriter.create(join(config.output, `${shard}.tar`));
        try {
          const numPacks = placement.ends.length - 1;
          for (let pack = 0; pack < numPacks; pack += 1) {
            const samples = await fetcher.fetch(placement, pack);
            const { key, parts } = layout.encode(placement.firstPack + pack, samples);
            await writer.add(key, parts);
          }
          return await writer.close();
        } finally {
          await writer.abort();
        }
      },
      close: () => fetcher.close(),
    };
  },
};
