// Archives of packs as another project would release them: its layout, and nothing of ours in the JSON.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../src/core/log.ts';
import { PackConfigSchema } from '../../src/pack/config.ts';
import { pack } from '../../src/pack/pack.ts';
import { encodeTarMember, readTar, TAR_END } from '../../src/sample/tar.ts';
import { TINY_PROCESSOR } from './tiny-data.ts';

/** Packs a folder of tiny samples for others' trainers and forgets what only we would know. */
export async function writeReleasedPacks(
  output: string,
  samples: string,
  tokenizer: string,
): Promise<void> {
  const ours = `${output}-ours`;
  const settings = { maxTokens: 256, maxPatches: 512, layout: 'energon-multi-turn' } as const;
  const config = PackConfigSchema.parse(settings);
  const inputs = [{ dir: samples }];
  await pack({
    inputs,
    output: ours,
    config,
    tokenizer,
    processor: TINY_PROCESSOR,
    log: silentLog,
  });
  mkdirSync(output, { recursive: true });
  for (const name of readdirSync(ours).filter((file) => file.endsWith('.tar'))) {
    const members: Uint8Array[] = [];
    for await (const member of readTar(join(ours, name))) {
      const isJson = member.name.endsWith('.json');
      const bytes = isJson ? withoutSegments(member.bytes) : member.bytes;
      members.push(encodeTarMember(member.name, bytes));
    }
    writeFileSync(join(output, name), Buffer.concat([...members, TAR_END]));
  }
}

function withoutSegments(json: Buffer): Buffer {
  const { segments: _, ...rest } = JSON.parse(json.toString());
  return Buffer.from(JSON.stringify(rest));
}
