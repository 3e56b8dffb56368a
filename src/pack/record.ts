// What a pack is on disk: one self-contained WebDataset record. Types, its JSON and its checks;
// write.ts and read.ts do the files.

import { z } from 'zod';
import { OneVisionError } from '../core/errors.ts';
import type { JsonValue, Sample, Split } from '../sample/sample.ts';

/** A sample in a pack, with what the plan counted for it. */
export interface PackedSample extends Sample {
  /** Tokens of the encoded chat, image tokens included. */
  readonly tokens: number;
  /** Vision patches of all its images. */
  readonly patches: number;
  /** 0 for the first time this sample was drawn into the pack set, 1 for the second, … */
  readonly copy: number;
}

/** Samples that are trained on in one sequence, each a segment of its own. */
export interface Pack {
  /** `ps_00000000`; unique in its pack set. */
  readonly key: string;
  readonly samples: readonly PackedSample[];
}

const JsonSchema: z.ZodType<JsonValue> = z.json();

const FACTS = {
  uid: z.string(),
  source: z.string(),
  group: z.string(),
  split: z.enum(['train', 'val', 'test']) satisfies z.ZodType<Split>,
  meta: z.record(z.string(), JsonSchema),
  tokens: z.int().positive(),
  patches: z.int().nonnegative(),
  copy: z.int().nonnegative(),
};

/** A sample without its content. */
export const segmentFactsSchema: z.ZodType<Omit<PackedSample, 'messages' | 'images'>> =
  z.object(FACTS);

const SegmentSchema = z.object({
  ...FACTS,
  messages: z.array(
    z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }),
  ),
  /** Member names of its images, `img0.png`; numbered over the whole pack. */
  images: z.array(z.string()),
});
const RecordSchema = z.object({ segments: z.array(SegmentSchema) });

/** A member of a record: its part name (`json`, `img0.png`) and its bytes. */
export interface PackPart {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** `ps_00000042` */
export function packKey(pack: number): string {
  return `ps_${String(pack).padStart(8, '0')}`;
}

/** A pack as parts: the JSON first, then the images in the order of the segments. */
export function encodePack(samples: readonly PackedSample[]): PackPart[] {
  const images: PackPart[] = [];
  const segments = samples.map((sample) => {
    const names = sample.images.map((image) => {
      const extension = image.name.slice(image.name.lastIndexOf('.') + 1);
      const name = `img${images.length}.${extension}`;
      images.push({ name, bytes: image.bytes });
      return name;
    });
    const { uid, source, group, split, messages, meta, tokens, patches, copy } = sample;
    return { uid, source, group, split, messages, images: names, meta, tokens, patches, copy };
  });
  return [{ name: 'json', bytes: Buffer.from(JSON.stringify({ segments })) }, ...images];
}

/**
 * The pack that `encodePack` made parts of.
 * @throws OneVisionError 'data' when the JSON or an image it names is missing or malformed.
 */
export function decodePack(key: string, parts: readonly PackPart[], where: string): Pack {
  const byName = new Map(parts.map((part) => [part.name, part.bytes]));
  const fail = (what: string, cause?: unknown): OneVisionError =>
    new OneVisionError('data', `expected a whole pack ${key} in ${where}, came ${what}`, {
      hint: 'delete the folder of this pack set and run the pack stage again',
      cause,
    });
  const json = byName.get('json');
  if (json === undefined) throw fail('one without its json');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw fail('json that does not parse', cause);
  }
  const parsed = RecordSchema.safeParse(value);
  if (!parsed.success) throw fail(`other json: ${z.prettifyError(parsed.error)}`);
  const samples = parsed.data.segments.map((segment) => ({
    ...segment,
    images: segment.images.map((name) => {
      const bytes = byName.get(name);
      if (bytes === undefined) throw fail(`one without ${name}`);
      return { name, bytes };
    }),
  }));
  return { key, samples };
}
