// What a packaged set is: questions with exact answers, made of packages alone, the same on every
// machine. A picture may be asked several questions; they share its group.
import type { Generator } from '../generator.ts';
import type { Draft } from '../task.ts';

export interface PackagedSet {
  /** Name of its benchmark and of its folder. */
  readonly name: string;
  /** Raise it when the same packages give other items; a test holds each version to its items. */
  readonly version: number;
  readonly count: number;
  /** The packages it is made of, as `sample/corpus/packages.json` has them. */
  readonly packages: readonly string[];
  /** @throws OneVisionError 'data' when a package is not here or not as expected */
  open(): Generator;
}

/** One question with its accepted answers, the one to show first. */
export interface Question {
  /** Told by the question alone: chance is a fixed answer to each kind. */
  readonly kind: string;
  readonly text: string;
  readonly answers: readonly string[];
}

export interface AskedPicture {
  /** PNG. */
  readonly picture: Uint8Array;
  readonly questions: readonly Question[];
}

export const SHORT_ANSWER = 'Answer with a single word, name or number.';
export const YES_OR_NO = 'Answer with yes or no.';

/** Pictures that are kept while their questions are dealt; more are under way than this never. */
const NUM_KEPT = 16;

/**
 * Deals the questions of pictures one by one: `perPicture` of each, in order.
 * @param make the picture of an index, with at least `perPicture` questions
 */
export function askInTurn(
  name: string,
  count: number,
  perPicture: number,
  make: (index: number) => Promise<AskedPicture>,
): Generator {
  const kept = new Map<number, Promise<AskedPicture>>();
  const pictureAt = (index: number): Promise<AskedPicture> => {
    const known = kept.get(index) ?? make(index);
    kept.set(index, known);
    for (const old of kept.keys()) if (old <= index - NUM_KEPT) kept.delete(old);
    return known;
  };
  return {
    count,
    draft: async (index) => {
      const place = Math.floor(index / perPicture);
      const { picture, questions } = await pictureAt(place);
      const question = questions[index % perPicture];
      if (question === undefined) {
        throw new RangeError(`expected ${perPicture} questions on picture ${place} of ${name}`);
      }
      return draftOf(name, `${name}:${place}`, picture, question);
    },
  };
}

function draftOf(
  name: string,
  group: string,
  picture: Uint8Array,
  { kind, text, answers }: Question,
): Draft {
  const [answer = ''] = answers;
  return {
    image: { name: 'img0.png', bytes: picture },
    group,
    messages: [
      { role: 'user', content: `<image>${text}` },
      { role: 'assistant', content: answer },
    ],
    meta: { task: name, answer, answers, columns: { kind } },
  };
}
