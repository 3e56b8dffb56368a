// A sample: images and the conversation about them. The unit that every data stage reads and writes.

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** One turn. `<image>` in the content stands for the next image of the sample, in order. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** An encoded image (PNG, JPEG, WebP, …) as it lies in a shard. */
export interface SampleImage {
  /** File name inside the shard without the sample's key: `img0.png`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Which side of the split a sample is on. All samples of a group are on one side. */
export type Split = 'train' | 'val' | 'test';

export interface Sample {
  /** Unique in the corpus and stable over runs; every seeded decision about the sample hashes it. */
  readonly uid: string;
  /** Which data set it came from; mixing weights and per-source losses go by it. */
  readonly source: string;
  /** What must not be torn apart by the split, e.g. all drawings of one emoji. */
  readonly group: string;
  readonly split: Split;
  readonly messages: readonly Message[];
  readonly images: readonly SampleImage[];
  /** What else is known: label, tags, concepts, expected answer, … */
  readonly meta: Readonly<Record<string, JsonValue>>;
}

/** What the assistant says: the caption of a picture, the answers of a conversation. */
export function repliesOf({ messages }: Pick<Sample, 'messages'>): string[] {
  return messages.filter(({ role }) => role === 'assistant').map(({ content }) => content);
}
