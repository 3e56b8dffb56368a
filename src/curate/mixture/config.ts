// A mixture of instruction data as data: categories with weights, the sources of each, caps.
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';

/** A data set of a category. */
export interface MixtureSource {
  /** The `source` of its samples; `ocr/*` stands for all that begin with `ocr/`. */
  readonly name: string;
  /** Share of its category against the other sources; default: as many as it has samples. */
  readonly weight?: number | undefined;
  /** Most samples to take. */
  readonly cap?: number | undefined;
  readonly licence?: string | undefined;
}

export interface MixtureCategory {
  readonly name: string;
  /** Against the other categories; percent or any other unit. */
  readonly weight: number;
  readonly sources: readonly MixtureSource[];
}

export interface MixtureConfig {
  readonly name: string;
  readonly description: string;
  readonly categories: readonly MixtureCategory[];
  /** Samples in all. Left out: as many as the weights and the caps allow. */
  readonly total?: number | undefined;
  readonly seed: number;
  readonly samplesPerShard: number;
  /** Largest share of samples that may be unreadable. */
  readonly maxSkipRate: number;
}

/** A mixture as it is written. */
export type MixtureInput = Pick<MixtureConfig, 'name' | 'categories' | 'total'> & {
  readonly [Key in 'description' | 'seed' | 'samplesPerShard' | 'maxSkipRate']?:
    | MixtureConfig[Key]
    | undefined;
};

const count = z.int().positive();
const name = z.string().min(1);
const sourceSchema: z.ZodType<MixtureSource, MixtureSource> = z.strictObject({
  name,
  weight: z.number().positive().optional(),
  cap: count.optional(),
  licence: z.string().optional(),
});
const categorySchema: z.ZodType<MixtureCategory, MixtureCategory> = z.strictObject({
  name,
  weight: z.number().positive(),
  sources: z.array(sourceSchema).min(1),
});

export const mixtureSchema: z.ZodType<MixtureConfig, MixtureInput> = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]*$/, 'expected lower case letters, digits, dots, dashes'),
    description: z.string().default(''),
    categories: z.array(categorySchema).min(1),
    total: count.optional(),
    seed: z.int().default(0),
    samplesPerShard: count.default(1000),
    maxSkipRate: z.number().min(0).max(1).default(0.001),
  })
  .refine(({ categories }) => isUnique(categories.map((category) => category.name)), {
    message: 'expected each category once',
  })
  .refine(
    ({ categories }) =>
      isUnique(categories.flatMap(({ sources }) => sources.map((source) => source.name))),
    { message: 'expected each source in one category' },
  );

function isUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

/**
 * Checks a mixture and fills in the defaults.
 * @throws OneVisionError 'recipe' naming each wrong key and what was expected there
 */
export function defineMixture(input: MixtureInput): MixtureConfig {
  const parsed = mixtureSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new OneVisionError(
    'recipe',
    `The mixture is not valid.\n${z.prettifyError(parsed.error)}`,
    {
      hint: 'correct these keys; recipes/llava-onevision-1.5-instruct.ts is one to start from',
    },
  );
}

/** From the `source` of a sample to the name it has in the mixture, or undefined. */
export function sourceResolver({
  categories,
}: Pick<MixtureConfig, 'categories'>): (source: string) => string | undefined {
  const names = categories.flatMap(({ sources }) => sources.map((source) => source.name));
  const exact = new Set(names);
  const prefixes = names.filter((one) => one.endsWith('/*')).map((one) => one.slice(0, -1));
  return (source) => {
    if (exact.has(source)) return source;
    const prefix = prefixes.find((one) => source.startsWith(one));
    return prefix === undefined ? undefined : `${prefix}*`;
  };
}
