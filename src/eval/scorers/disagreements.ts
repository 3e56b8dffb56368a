// Where the profiles disagree about stored replies: per item, and how often each pair does. Pure.
import {
  type AnsweredItem,
  type ByProfile,
  type Mark,
  PROFILES,
  type Profile,
  type Scoring,
  scoreReply,
  type WrittenReply,
} from './scorer.ts';

/** One stored reply with what scoring needs of its item. */
export interface StoredPrediction {
  readonly reply: WrittenReply;
  readonly item: AnsweredItem;
}

/** An item that not all profiles score alike. */
export interface Disagreement {
  readonly uid: string;
  readonly text: string;
  readonly answers: readonly string[];
  readonly marks: ByProfile<Mark>;
}

/** How two profiles differ over all items. */
export interface PairCount {
  readonly first: Profile;
  readonly second: Profile;
  /** Items that the first, the second scores higher. */
  readonly firstHigher: number;
  readonly secondHigher: number;
}

export interface Disagreements {
  readonly items: number;
  /** Mean score under each profile, before aggregation. */
  readonly means: ByProfile<number>;
  readonly pairs: readonly PairCount[];
  readonly rows: readonly Disagreement[];
}

/** Scores every reply under every profile and lists the items on which they differ. */
export function disagreements(
  scoring: Scoring,
  predictions: readonly StoredPrediction[],
): Disagreements {
  const all = predictions.map(({ reply, item }) => ({
    uid: item.uid,
    text: reply.text,
    answers: item.answers,
    marks: byProfile((profile) => scoreReply(scoring, reply, item, profile)),
  }));
  const pairs = PROFILES.flatMap((first, place) =>
    PROFILES.slice(place + 1).map((second) => countPair(all, first, second)),
  );
  const total = Math.max(1, all.length);
  return {
    items: all.length,
    means: byProfile(
      (profile) => all.reduce((sum, { marks }) => sum + marks[profile].score, 0) / total,
    ),
    pairs,
    rows: all.filter(({ marks }) => new Set(PROFILES.map((name) => marks[name].score)).size > 1),
  };
}

function countPair(rows: readonly Disagreement[], first: Profile, second: Profile): PairCount {
  const firstHigher = rows.filter(({ marks }) => marks[first].score > marks[second].score).length;
  const secondHigher = rows.filter(({ marks }) => marks[first].score < marks[second].score).length;
  return { first, second, firstHigher, secondHigher };
}

function byProfile<T>(of: (profile: Profile) => T): ByProfile<T> {
  return {
    strict: of('strict'),
    official: of('official'),
    'lmms-v0.5': of('lmms-v0.5'),
    'lmms-head': of('lmms-head'),
  };
}
