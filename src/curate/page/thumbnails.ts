// The pictures of a report: read from the input once more, made small, as addresses in the page.
import sharp from 'sharp';
import { openSource } from '../../sample/sources/open.ts';
import type { SourceSpec } from '../../sample/sources/source.ts';
import type { Example } from '../report/report-file.ts';

/** `shard#row` → data address of the first image. */
export type Thumbnails = ReadonlyMap<string, string>;

const SIDE = 64;

/** Thumbnails of the examples whose pictures are still there and decode. Opens their shards only. */
export async function loadThumbnails(
  spec: SourceSpec,
  examples: readonly Example[],
): Promise<Thumbnails> {
  const wanted = Map.groupBy(examples, ({ shard }) => shard);
  const source = await openSource(spec);
  const found = new Map<string, string>();
  for (const shard of source.shards) {
    const rows = new Set(wanted.get(shard.name)?.map(({ row }) => row));
    if (rows.size === 0) continue;
    const last = Math.max(...rows);
    let at = 0;
    for await (const { sample, lost } of source.read(shard)) {
      const [image] = sample?.images ?? [];
      if (rows.has(at) && image !== undefined) {
        const bytes = await encodeThumbnail(image.bytes, SIDE);
        if (bytes !== undefined) found.set(`${shard.name}#${at}`, toAddress(bytes));
      }
      at += lost?.numSamples ?? 1;
      if (at > last) break;
    }
  }
  return found;
}

function toAddress(bytes: Uint8Array): string {
  return `data:image/webp;base64,${Buffer.from(bytes).toString('base64')}`;
}

/** At most side × side pixels on white; undefined when the bytes do not decode. */
async function encodeThumbnail(bytes: Uint8Array, side: number): Promise<Uint8Array | undefined> {
  try {
    return await sharp(bytes)
      .autoOrient()
      .resize(side, side, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#fff' })
      .webp({ quality: 70 })
      .toBuffer();
  } catch {
    return undefined;
  }
}
