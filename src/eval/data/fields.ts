// What a column of a benchmark's table may hold, as zod types: texts, numbers, lists, pictures.
// Values come as DuckDB gives them: 64-bit integers as bigint, blobs as bytes, structs as objects.
import * as z from 'zod';
import type { SampleImage } from '../../sample/sample.ts';
import { imageKind, MAX_IMAGE_BYTES } from '../../sample/sources/rows/image-file.ts';
import { parsePythonList } from './python-list.ts';

/** A picture, or why there is none: a bad picture is a fault of its item, not of the data set. */
export type Picture = SampleImage | { readonly fault: string };

const scalar = z.union([z.string(), z.number(), z.nan(), z.bigint(), z.boolean()]);

/** A text; a number counts as its digits. */
export const text: z.ZodType<string> = scalar.transform(String);

/** A text, or undefined for null and for what a data frame writes in its place: NaN. */
export const maybeText: z.ZodType<string | undefined> = scalar
  .nullish()
  .transform((value) => (value === null || Number.isNaN(value) ? undefined : value))
  .transform((value) => (value === undefined ? undefined : String(value)));

/** A whole number, whatever type it was stored with. */
export const whole: z.ZodType<number> = scalar
  .transform(Number)
  .refine(Number.isSafeInteger, 'expected a whole number');

/** A list of texts. */
export const texts: z.ZodType<readonly string[]> = z.array(text);

/** A list of whole numbers. */
export const wholes: z.ZodType<readonly number[]> = z.array(whole);

/** A list of texts, stored as such or as the text of a Python list; null is an empty one. */
export const listText: z.ZodType<readonly string[]> = z
  .union([z.array(text), z.string(), z.null()])
  .transform((value, context) => {
    if (value === null) return [];
    if (typeof value !== 'string') return value;
    try {
      return parsePythonList(value);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  });

/** One text or several. */
export const oneOrMore: z.ZodType<readonly string[]> = z.union([
  z.array(text),
  text.transform((value) => [value]),
]);

const stored = z.union([
  z.instanceof(Uint8Array),
  z.string(),
  z.object({ bytes: z.instanceof(Uint8Array).nullish() }),
  z.null(),
]);

/** One picture: a struct of bytes and path, plain bytes, or base64 text. */
export const picture: z.ZodType<Picture> = stored.transform((value) => toPicture(value));

/** A picture that an item may lack. */
export const maybePicture: z.ZodType<Picture | undefined> = stored
  .optional()
  .transform((value) => (value === null || value === undefined ? undefined : toPicture(value)));

/** One picture or a list of them. */
export const pictures: z.ZodType<readonly Picture[]> = z
  .union([z.array(stored), stored.transform((value) => [value])])
  .transform((values) => values.map((value, index) => toPicture(value, index)));

function toPicture(value: z.output<typeof stored>, index = 0): Picture {
  if (value === null) return { fault: 'it has no picture' };
  const bytes =
    typeof value === 'string'
      ? Buffer.from(value, 'base64')
      : value instanceof Uint8Array
        ? value
        : value.bytes;
  if (bytes === null || bytes === undefined) return { fault: 'its picture has no bytes' };
  if (bytes.length > MAX_IMAGE_BYTES) return { fault: `a picture of ${bytes.length} bytes` };
  return { name: `img${index}.${imageKind(bytes) ?? 'png'}`, bytes };
}
