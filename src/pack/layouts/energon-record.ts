// What the Energon layouts share: reading their JSON, and the facts about each sample that those
// layouts have no place for. We write these beside theirs, under a key that other readers ignore.
import { z } from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import type { Message, Sample, SampleImage } from '../../sample/sample.ts';
import { type PackedSample, type PackPart, segmentFactsSchema } from '../record.ts';

/** A sample without its content. */
export type SegmentFacts = Omit<PackedSample, 'messages' | 'images'>;

export const factsSchema: z.ZodType<SegmentFacts[] | undefined> = z
  .array(segmentFactsSchema)
  .optional();

export function factsOf(sample: PackedSample): SegmentFacts {
  const { uid, source, group, split, meta, tokens, patches, copy } = sample;
  return { uid, source, group, split, meta, tokens, patches, copy };
}

/** The sample, with what can be said of it where a foreign record says nothing. */
export function withFacts(
  content: Pick<Sample, 'messages' | 'images'>,
  facts: SegmentFacts | undefined,
  uid: string,
): PackedSample {
  if (facts !== undefined) return { ...facts, ...content };
  const unknown = { meta: {}, tokens: 0, patches: 0, copy: 0 };
  return { uid, source: 'packed', group: uid, split: 'train', ...unknown, ...content };
}

export interface ForeignRecord<T> {
  readonly json: T;
  /** @throws OneVisionError 'data' when the part is missing. */
  image(name: string): SampleImage;
  fail(what: string): OneVisionError;
}

/** Opens a record: its JSON checked, its images by name. @throws OneVisionError 'data' */
export function openRecord<T>(
  key: string,
  parts: readonly PackPart[],
  where: string,
  schema: z.ZodType<T>,
): ForeignRecord<T> {
  const byName = new Map(parts.map((part) => [part.name, part.bytes]));
  const fail = (what: string, cause?: unknown): OneVisionError =>
    new OneVisionError('data', `expected a whole record ${key} in ${where}, came ${what}`, {
      hint: 'the archive is damaged or of another layout: fetch or write it again',
      cause,
    });
  const bytes = byName.get('json');
  if (bytes === undefined) throw fail('one without its json');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw fail('json that does not parse', cause);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw fail(`other json: ${z.prettifyError(parsed.error)}`);
  return {
    json: parsed.data,
    image: (name) => {
      const found = byName.get(name);
      if (found === undefined) throw fail(`one without ${name}`);
      return { name, bytes: found };
    },
    fail,
  };
}

/** Turns of user and assistant, from two lists. */
export function turnsOf(prompts: readonly string[], captions: readonly string[]): Message[] {
  return prompts.flatMap((prompt, i): Message[] => [
    { role: 'user', content: prompt },
    { role: 'assistant', content: captions[i] ?? '' },
  ]);
}

/** Contents of the messages of one role. */
export function contentsOf(sample: Sample, role: Message['role']): string[] {
  return sample.messages
    .filter((message) => message.role === role)
    .map((message) => message.content);
}

export function jsonPart(value: unknown): PackPart {
  return { name: 'json', bytes: Buffer.from(JSON.stringify(value)) };
}
