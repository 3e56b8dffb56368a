// What a mixture holds, counted while it is written: for each source, and in all.
import * as z from 'zod';
import { repliesOf, type Sample } from '../../sample/sample.ts';

/** Exact counts of written samples. */
export interface MixtureCounts {
  readonly samples: number;
  readonly images: number;
  /** Without an image. */
  readonly textOnly: number;
  /** With more than one image. */
  readonly multiImage: number;
  /** With more than one answer. */
  readonly multiTurn: number;
  readonly answers: number;
  /** Characters of the answers. */
  readonly answerChars: number;
}

const whole = z.int().nonnegative();
export const mixtureCountsSchema: z.ZodType<MixtureCounts> = z.strictObject({
  samples: whole,
  images: whole,
  textOnly: whole,
  multiImage: whole,
  multiTurn: whole,
  answers: whole,
  answerChars: whole,
});

const NOTHING: MixtureCounts = {
  samples: 0,
  images: 0,
  textOnly: 0,
  multiImage: 0,
  multiTurn: 0,
  answers: 0,
  answerChars: 0,
};

export function emptyCounts(): MixtureCounts {
  return NOTHING;
}

export function addCounts(a: MixtureCounts, b: MixtureCounts): MixtureCounts {
  return {
    samples: a.samples + b.samples,
    images: a.images + b.images,
    textOnly: a.textOnly + b.textOnly,
    multiImage: a.multiImage + b.multiImage,
    multiTurn: a.multiTurn + b.multiTurn,
    answers: a.answers + b.answers,
    answerChars: a.answerChars + b.answerChars,
  };
}

export function countsOf(sample: Sample): MixtureCounts {
  const { images } = sample;
  const answers = repliesOf(sample);
  return {
    samples: 1,
    images: images.length,
    textOnly: images.length === 0 ? 1 : 0,
    multiImage: images.length > 1 ? 1 : 0,
    multiTurn: answers.length > 1 ? 1 : 0,
    answers: answers.length,
    answerChars: answers.reduce((sum, answer) => sum + answer.length, 0),
  };
}

/**
 * Why a conversation cannot be taught whole, or undefined. A mixture never cuts one.
 * Every `<image>` has its image, every image its place, and the last word is an answer.
 */
export function faultOf({ images, messages }: Sample): string | undefined {
  const marks = messages.reduce((sum, { content }) => sum + content.split('<image>').length - 1, 0);
  if (marks !== images.length) return `${marks} <image> marks for ${images.length} images`;
  if (messages.at(-1)?.role !== 'assistant') return 'the conversation does not end with an answer';
  const turns = messages.filter(({ role }) => role !== 'system');
  if (turns.some(({ role }, i) => role !== (i % 2 === 0 ? 'user' : 'assistant'))) {
    return 'questions and answers do not alternate';
  }
  return undefined;
}
