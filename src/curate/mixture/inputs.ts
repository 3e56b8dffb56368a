// The shards of all inputs of a mixture as one list, which every task makes alike.
import { openSource } from '../../sample/sources/open.ts';
import type { Source, SourceShard, SourceSpec } from '../../sample/sources/source.ts';

export interface InputShard {
  /** Unique among all inputs. */
  readonly name: string;
  readonly input: Source;
  readonly shard: SourceShard;
}

export async function openInputs(inputs: readonly (string | SourceSpec)[]): Promise<Source[]> {
  const sources: Source[] = [];
  for (const input of inputs) sources.push(await openSource(input));
  return sources;
}

/** In the order of the inputs. */
export function inputShards(inputs: readonly Source[]): InputShard[] {
  return inputs.flatMap((input, i) =>
    input.shards.map((shard) => ({ name: `${i}:${shard.name}`, input, shard })),
  );
}
