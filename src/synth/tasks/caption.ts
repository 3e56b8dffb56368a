// Name, describe, say the kind of, and affirm or deny: several turns about one picture.
import { createRandom, type Random } from '../../core/hash.ts';
import {
  conversation,
  DESCRIBE_QUESTION,
  identityQuestion,
  KIND_QUESTION,
  NAME_QUESTION,
  type Turn,
} from '../phrases.ts';
import type { Subject, Task } from '../task.ts';
import { description, otherSubjects } from './choice.ts';

export interface CaptionSettings {
  /** Number of turns, the yes–no turn aside. */
  readonly turns: number;
  /** Weights of the turn that comes first; the others follow in random order. */
  readonly askName: number;
  readonly askDescription: number;
  readonly askKind: number;
  /** Chance of one more turn, "Is this X?". */
  readonly yesNo: number;
  /** At most so many tags in a description. */
  readonly maxTags: number;
}

export const CAPTION_DEFAULTS: CaptionSettings = {
  turns: 3,
  askName: 0.55,
  askDescription: 0.3,
  askKind: 0.15,
  yesNo: 0,
  maxTags: 4,
};

export const caption: Task<CaptionSettings> = {
  name: 'caption',
  generate({ seed, set, subjects, settings }, index) {
    const random = createRandom('caption', set, seed, index);
    const subject = subjects.at(index);
    const turns = pickTurns(random, subject, settings);
    if (random.next() < settings.yesNo) {
      const place = random.next() < 0.5 ? 0 : random.int(turns.length + 1);
      turns.splice(place, 0, yesNoTurn(random, subject, subjects.items));
    }
    return {
      image: subject.picture,
      group: subject.group,
      messages: conversation(turns),
      meta: {
        task: 'caption',
        answer: subject.label,
        concepts: subject.concepts,
        noFlip: subject.noFlip,
      },
    };
  },
};

/** "Is this X?" with its answer: half of the time X is the picture's own name. */
export function yesNoTurn(
  random: Random,
  subject: Subject,
  pool: readonly Subject[],
  yes: number = 0.5,
): Turn {
  if (random.next() < yes) return [identityQuestion(subject.label), 'yes'];
  const alike = pool.filter((other) => subject.kind !== undefined && other.kind === subject.kind);
  const from = random.next() < 0.25 && hasOther(subject, alike) ? alike : pool;
  return [identityQuestion(otherSubjects(subject, from, 1, random)[0]?.label ?? ''), 'no'];
}

const hasOther = (subject: Subject, pool: readonly Subject[]): boolean =>
  pool.some((other) => other.group !== subject.group && other.label !== subject.label);

function pickTurns(random: Random, subject: Subject, settings: CaptionSettings): Turn[] {
  const tags = random.shuffle(subject.tags).slice(0, settings.maxTags);
  const turns: { weight: number; turn: Turn }[] = [
    { weight: settings.askName, turn: [NAME_QUESTION, subject.label] },
    {
      weight: settings.askDescription,
      turn: [DESCRIBE_QUESTION, description(subject, tags)],
    },
  ];
  if (subject.kind !== undefined) {
    turns.push({ weight: settings.askKind, turn: [KIND_QUESTION, subject.kind] });
  }
  let left = random.next() * turns.reduce((sum, { weight }) => sum + weight, 0);
  const drawn = turns.findIndex(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  const [first] = turns.splice(Math.max(0, drawn), 1);
  const ordered = first === undefined ? turns : [first, ...random.shuffle(turns)];
  return ordered.slice(0, settings.turns).map(({ turn }) => turn);
}
