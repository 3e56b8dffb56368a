// How each benchmark is scored, as data: family, version, a rule and an aggregator for each profile.
import type { Aggregator } from './aggregate.ts';
import { anls } from './answers/anls.ts';
import { anyBox, matchBox, strictBox } from './answers/box.ts';
import { containsAnswer, strictContains } from './answers/contains.ts';
import { countWord, firstDigits, strictCount } from './answers/count.ts';
import { relaxedMatch, strictRelaxedMatch } from './answers/relaxed.ts';
import {
  ai2dLetter,
  cvBenchLetter,
  firstCharacter,
  mmeRealWorldLetter,
  scienceQaLetter,
  vstarLetter,
} from './letters/first-letters.ts';
import { mathvisionRule } from './math/mathvision.ts';
import { mathvistaRule } from './math/mathvista.ts';
import { strictMathvision, strictMathvista } from './math/strict-math.ts';
import { strip } from './python.ts';
import { rewardRule, strictRewardRule } from './reward.ts';
import * as rules from './rules.ts';
import type { AnsweredItem, ByProfile, Family, Rule, Scoring } from './scorer.ts';

const MEAN: Aggregator = { kind: 'mean' };

/** One value for all profiles, but where one differs. The paper's code stands for lmms-eval now. */
function per<T>(strict: T, others: Partial<ByProfile<T>> = {}): ByProfile<T> {
  const paper = others['lmms-v0.5'] ?? strict;
  return {
    strict,
    official: others.official ?? strict,
    'lmms-v0.5': paper,
    'lmms-head': others['lmms-head'] ?? paper,
  };
}

function scoring(
  family: Family,
  version: number,
  byProfile: ByProfile<Rule>,
  aggregators: ByProfile<Aggregator> = per(MEAN),
): Scoring {
  return { family, version, rules: byProfile, aggregators };
}

const { strictChoice: STRICT, canInferChoice: CAN_INFER, mmmuChoice: MMMU } = rules;
const choice = (others: Partial<ByProfile<Rule>>): ByProfile<Rule> =>
  per(STRICT, { official: CAN_INFER, ...others });
const MATHVISTA = { official: mathvistaRule, 'lmms-v0.5': mathvistaRule };
const MMMU_OPEN = (open: Rule, letter: Rule): Rule =>
  rules.byColumn('question_type', 'open', open, letter);

const isFormula = ({ columns }: AnsweredItem): boolean => columns?.['dataset'] === 'HME100k';
const contains = (lowerFormulaReply: boolean, foldWidth: boolean): Rule => {
  const options = { lowerFormulaReply, foldWidth };
  return (text, item) => ({
    score: containsAnswer(text, item.answers, isFormula(item), options) ? 1 : 0,
    parsed: rules.whole(text),
    faults: lowerFormulaReply && isFormula(item) ? ['case-mismatch'] : [],
  });
};
const ANLS = (lengths: 'raw' | 'normal'): Rule => {
  return (text, { answers }) => ({
    score: anls(text, answers, lengths),
    parsed: rules.whole(text),
  });
};
const FIRST = rules.byLetter(firstCharacter);
const SUBSTRING = rules.byMatch((text, answer) => text.includes(answer));
/** Two dimensions weigh as much as three: ½(½(ADE20K + COCO) + Omni3D). */
const CV_WEIGHTS = { ADE20K: 0.25, COCO: 0.25, Omni3D: 0.5 };
const MMMU_MEAN = per<Aggregator>(MEAN, { 'lmms-v0.5': { kind: 'mean', decimals: 5 } });
const CIRCULAR: Aggregator = { kind: 'all-of-group', by: 'index', modulus: 1_000_000 };

export const SCORING_NAMES = [
  'mmmu',
  'mmmu-pro',
  'mmmu-pro-vision',
  'mmbench',
  'mme-realworld',
  'ai2d',
  'cv-bench',
  'vstar',
  'mmstar',
  'seed-bench',
  'scienceqa',
  'realworldqa',
  'chartqa',
  'docvqa',
  'pixmo-count',
  'countbench',
  'countbenchqa',
  'ocrbench',
  'mathvista',
  'mathvision',
  'wemath',
  'vl-rewardbench',
  'charxiv',
  'box',
] as const;
export type ScoringName = (typeof SCORING_NAMES)[number];

/** Every scoring by name. InfoVQA is scored as `docvqa`, both SEED-Benches as `seed-bench`. */
export const SCORINGS: Readonly<Record<ScoringName, Scoring>> = {
  mmmu: scoring(
    'choice',
    2,
    per(MMMU_OPEN(rules.strictOpen, STRICT), {
      official: MMMU_OPEN(rules.mmmuOpen, MMMU),
      'lmms-v0.5': MMMU_OPEN(rules.mmmuOpenNever, MMMU),
      'lmms-head': MMMU_OPEN(rules.mmmuOpen, MMMU),
    }),
    MMMU_MEAN,
  ),
  'mmmu-pro': scoring('choice', 2, choice({ official: MMMU, 'lmms-v0.5': MMMU }), MMMU_MEAN),
  'mmmu-pro-vision': scoring(
    'choice',
    2,
    choice({ official: MMMU, 'lmms-v0.5': rules.rawEquality }),
    MMMU_MEAN,
  ),
  mmbench: scoring(
    'choice',
    2,
    choice({ 'lmms-v0.5': rules.mmbenchChoice, 'lmms-head': rules.mmbenchStaticChoice }),
    per(CIRCULAR),
  ),
  'mme-realworld': scoring(
    'choice',
    1,
    choice({
      official: rules.byLetter(mmeRealWorldLetter),
      'lmms-v0.5': rules.byLetter(mmeRealWorldLetter),
    }),
  ),
  ai2d: scoring('choice', 2, choice({ 'lmms-v0.5': rules.byText(ai2dLetter) })),
  'cv-bench': scoring(
    'choice',
    2,
    choice({ 'lmms-v0.5': rules.byLetter(cvBenchLetter) }),
    per<Aggregator>(MEAN, { official: { kind: 'macro', by: 'source', weights: CV_WEIGHTS } }),
  ),
  vstar: scoring('choice', 2, choice({ 'lmms-v0.5': rules.byLetter(vstarLetter) })),
  mmstar: scoring(
    'choice',
    2,
    choice({ 'lmms-v0.5': rules.mmstarChoice, 'lmms-head': rules.mcqChoice }),
    per<Aggregator>({ kind: 'macro', by: 'l2_category' }, { official: MEAN }),
  ),
  'seed-bench': scoring('choice', 2, choice({ 'lmms-v0.5': FIRST })),
  scienceqa: scoring(
    'choice',
    2,
    choice({ 'lmms-v0.5': rules.byLetter((text) => scienceQaLetter(text)) }),
  ),
  realworldqa: scoring(
    'choice',
    1,
    per(rules.realWorldQaStrict(countWord), {
      official: rules.realWorldQaHead,
      'lmms-v0.5': rules.realWorldQaOld,
      'lmms-head': rules.realWorldQaHead,
    }),
  ),
  chartqa: scoring(
    'short-answer',
    2,
    per(rules.byMatch(strictRelaxedMatch), {
      official: rules.byMatch((text, answer) => relaxedMatch(strip(text), answer)),
      'lmms-v0.5': rules.byMatch(relaxedMatch),
    }),
  ),
  docvqa: scoring(
    'short-answer',
    1,
    per(ANLS('normal'), { official: ANLS('raw'), 'lmms-v0.5': ANLS('raw') }),
  ),
  'pixmo-count': scoring(
    'count',
    1,
    per(rules.byText(strictCount), {
      official: rules.byText(firstDigits),
      'lmms-v0.5': rules.byText(firstDigits),
    }),
  ),
  countbench: scoring(
    'count',
    1,
    per(rules.byText(strictCount), { official: SUBSTRING, 'lmms-v0.5': rules.byText(countWord) }),
  ),
  countbenchqa: scoring(
    'count',
    1,
    per(rules.byText(strictCount), {
      official: SUBSTRING,
      'lmms-v0.5': rules.byMatch((text, answer) => strip(text) === answer),
    }),
  ),
  ocrbench: scoring(
    'contains',
    1,
    per(
      (text, item) => ({
        score: strictContains(text, item.answers, isFormula(item)) ? 1 : 0,
        parsed: rules.whole(text),
      }),
      {
        official: contains(false, false),
        'lmms-v0.5': contains(true, false),
        'lmms-head': contains(false, true),
      },
    ),
    per<Aggregator>({ kind: 'sum', total: 1000 }),
  ),
  mathvista: scoring('math', 1, per(strictMathvista, MATHVISTA)),
  mathvision: scoring(
    'math',
    1,
    per(strictMathvision, {
      official: mathvisionRule('math'),
      'lmms-v0.5': mathvisionRule('math'),
      'lmms-head': mathvisionRule('none'),
    }),
  ),
  wemath: scoring(
    'choice',
    2,
    choice({ official: rules.weMathChoice, 'lmms-v0.5': rules.weMathTagged }),
    per<Aggregator>({ kind: 'steps', id: 'ID', step: 'key', mode: 'strict' }),
  ),
  'vl-rewardbench': scoring(
    'choice',
    1,
    per(strictRewardRule, { official: rewardRule, 'lmms-v0.5': rewardRule }),
    per<Aggregator>({ kind: 'macro', by: 'group' }),
  ),
  charxiv: scoring('judge', 1, per<Rule>(rules.judged)),
  box: scoring(
    'box',
    1,
    per(matchBox(strictBox), { official: matchBox(anyBox), 'lmms-v0.5': matchBox(anyBox) }),
  ),
};
