// The settings of the synth stage: which sets to make, of which task, from which pool.
import * as z from 'zod';
import { OneVisionError } from '../core/errors.ts';
import * as tasks from './tasks/index.ts';

/**
 * Whose pictures a set may show. Only `train` sets may be trained on; the three others show what
 * training never meets: known things in a held-out drawing style, unknown things in known styles,
 * and unknown things in the held-out style. Digits follow: `train` uses training digits, the
 * others held-out ones.
 */
export type Pool = 'train' | 'unseen-style' | 'unseen-concepts' | 'unseen-both';

interface Common {
  /** Folder of the set, and the `source` of its samples. */
  readonly name: string;
  /** Number of samples; 0 shows every picture of the pool once. */
  readonly count: number;
  readonly pool: Pool;
}

/** The settings of each task, which stand beside name, count and pool. */
interface TaskSettings {
  readonly caption: tasks.CaptionSettings;
  readonly choice: tasks.ChoiceSettings;
  readonly 'yes-no': tasks.YesNoSettings;
  readonly numbers: tasks.NumbersSettings;
  readonly grid: tasks.GridSettings;
  readonly counting: tasks.CountingSettings;
  readonly colour: tasks.ColourSettings;
  readonly position: object;
  readonly relation: tasks.RelationSettings;
}
type TaskName = keyof TaskSettings;
type Defaulted<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** One set, every default filled in. */
export type SynthSet = {
  readonly [T in TaskName]: Common & { readonly task: T } & TaskSettings[T];
}[TaskName];

/** One set as a recipe writes it. */
export type SynthSetInput = {
  readonly [T in TaskName]: Pick<Common, 'name' | 'count'> &
    Defaulted<Pick<Common, 'pool'>> & { readonly task: T } & Defaulted<TaskSettings[T]>;
}[TaskName];

export interface SynthConfig {
  readonly seed: number;
  /** Side of a canvas in pixels; pictures of single things keep their own size. */
  readonly size: number;
  /** Larger pools are thinned by a seeded draw; a picture takes about 15 kB of memory. */
  readonly maxPictures: number;
  readonly samplesPerShard: number;
  readonly sets: readonly SynthSet[];
}

/** The stage as a recipe writes it. */
export type SynthConfigInput = Defaulted<Omit<SynthConfig, 'sets'>> & {
  readonly sets: readonly SynthSetInput[];
};

const share = (): z.ZodNumber => z.number().min(0).max(1);
const weight = (): z.ZodNumber => z.number().nonnegative();

const common = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower case letters, digits and dashes'),
  count: z.int().nonnegative(),
  pool: z.enum(['train', 'unseen-style', 'unseen-concepts', 'unseen-both']).default('train'),
});

const setSchema: z.ZodType<SynthSet, SynthSetInput> = z.discriminatedUnion('task', [
  common.extend({
    task: z.literal('caption'),
    turns: z.int().min(1).max(3).default(tasks.CAPTION_DEFAULTS.turns),
    askName: weight().default(tasks.CAPTION_DEFAULTS.askName),
    askDescription: weight().default(tasks.CAPTION_DEFAULTS.askDescription),
    askKind: weight().default(tasks.CAPTION_DEFAULTS.askKind),
    yesNo: share().default(tasks.CAPTION_DEFAULTS.yesNo),
    maxTags: z.int().nonnegative().default(tasks.CAPTION_DEFAULTS.maxTags),
  }),
  common.extend({
    task: z.literal('choice'),
    options: z.int().min(2).max(10).default(tasks.CHOICE_DEFAULTS.options),
    ask: z.enum(['name', 'description']).default(tasks.CHOICE_DEFAULTS.ask),
  }),
  common.extend({
    task: z.literal('yes-no'),
    yes: share().default(tasks.YES_NO_DEFAULTS.yes),
  }),
  common.extend({
    task: z.literal('numbers'),
    lengths: z
      .tuple([weight(), weight(), weight()])
      .refine((weights) => weights.some((value) => value > 0), 'expected a weight above 0')
      .default([1, 1, 1]),
    jitter: share().default(tasks.NUMBERS_DEFAULTS.jitter),
    colours: z.boolean().default(tasks.NUMBERS_DEFAULTS.colours),
  }),
  common.extend({
    task: z.literal('grid'),
    side: z.int().min(1).max(3).default(tasks.GRID_DEFAULTS.side),
    jitter: share().default(tasks.GRID_DEFAULTS.jitter),
  }),
  common.extend({
    task: z.literal('counting'),
    min: z.int().min(1).max(6).default(tasks.COUNTING_DEFAULTS.min),
    max: z.int().min(1).max(6).default(tasks.COUNTING_DEFAULTS.max),
    mixed: share().default(tasks.COUNTING_DEFAULTS.mixed),
    extras: z.boolean().default(tasks.COUNTING_DEFAULTS.extras),
  }),
  common.extend({
    task: z.literal('colour'),
    digits: share().default(tasks.COLOUR_DEFAULTS.digits),
  }),
  common.extend({ task: z.literal('position') }),
  common.extend({
    task: z.literal('relation'),
    share: z.number().min(0.2).max(0.45).default(tasks.RELATION_DEFAULTS.share),
  }),
]);

/** Folder of a set under the output: `train/<name>` or `heldout/<name>`. */
export function setFolder({ pool, name }: Pick<SynthSet, 'pool' | 'name'>): string {
  return `${pool === 'train' ? 'train' : 'heldout'}/${name}`;
}

const differInName = (sets: readonly SynthSet[]): boolean =>
  new Set(sets.map(setFolder)).size === sets.length;

export const synthConfigSchema: z.ZodType<SynthConfig, SynthConfigInput> = z.strictObject({
  seed: z.int().nonnegative().default(0),
  size: z.int().min(28).max(1024).default(84),
  maxPictures: z.int().positive().default(20_000),
  samplesPerShard: z.int().positive().default(4096),
  sets: z.array(setSchema).refine(differInName, {
    error: 'expected different names, two sets of one side share one',
  }),
});

/**
 * Checks settings and fills in the defaults.
 * @throws OneVisionError `recipe` naming each wrong field
 */
export function parseSynthConfig(input: unknown): SynthConfig {
  const parsed = synthConfigSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new OneVisionError(
    'recipe',
    `Synth settings: expected the fields of SynthConfigInput.\n${z.prettifyError(parsed.error)}`,
    { hint: 'correct the field in the recipe' },
  );
}

/** The held-out sets that `src/eval/benchmarks` measures, with the pools they draw from. */
export const HELD_OUT_SETS: readonly SynthSetInput[] = [
  { name: 'unseen-style', task: 'choice', pool: 'unseen-style', count: 0 },
  { name: 'unseen-concepts', task: 'choice', pool: 'unseen-concepts', count: 0 },
  { name: 'numbers', task: 'numbers', pool: 'unseen-concepts', count: 900 },
  { name: 'counting', task: 'counting', pool: 'unseen-concepts', count: 600 },
  { name: 'yes-no', task: 'yes-no', pool: 'unseen-style', count: 500 },
  { name: 'colour', task: 'colour', pool: 'unseen-concepts', count: 300 },
  { name: 'position', task: 'position', pool: 'unseen-concepts', count: 300 },
];
