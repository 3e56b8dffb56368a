// What a task is: from a context and an index to one question with its exact answer. Types only.
import type { RgbImage } from '../image/pixels.ts';
import type { JsonValue, Message, SampleImage } from '../sample/sample.ts';
import type { Deck } from './deck.ts';
import type { Sprite } from './draw/canvas.ts';

/** A real picture of one known thing, ready to be asked about or pasted. */
export interface Subject {
  readonly uid: string;
  readonly group: string;
  /** Its name in lower case: `grinning face`. */
  readonly label: string;
  readonly tags: readonly string[];
  /** What kind of thing it is, where the source says so: `smiling`, `animal mammal`. */
  readonly kind: string | undefined;
  /** Concepts that curation matched, for head / middle / tail accuracy. */
  readonly concepts: readonly string[];
  /** Mirroring it would change what it is: flags, arrows, clocks. */
  readonly noFlip: boolean;
  /** The picture as it lies in its shard. */
  readonly picture: SampleImage;
  /** The same, cut out and small, for canvases. */
  readonly sprite: Sprite;
}

/** Handwritten digits by value: `digits[7]` holds pictures of a seven, 28×28, ink = 255. */
export type Digits = readonly (readonly Uint8Array[])[];

/** All that a task may draw on. One side of the split only: nothing here is for both sides. */
export interface TaskContext<Settings> {
  readonly seed: number;
  /** Name of the set that is being made; part of every seeded decision. */
  readonly set: string;
  /** Side of a canvas in pixels. */
  readonly size: number;
  readonly subjects: Deck<Subject>;
  readonly digits: Digits;
  readonly settings: Settings;
}

/** A sample before it is encoded and named. */
export interface Draft {
  readonly image: RgbImage | SampleImage;
  /** Items of one group are not independent: drawings of one concept. */
  readonly group: string;
  readonly messages: readonly Message[];
  /** `task`, `answer`, and what else is known. */
  readonly meta: Readonly<Record<string, JsonValue>>;
}

/** A kind of question. Pure: the same context and index give the same draft. */
export interface Task<Settings> {
  readonly name: string;
  generate(context: TaskContext<Settings>, index: number): Draft;
}
