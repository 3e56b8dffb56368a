// The check of a source's description where it comes as JSON: task files and reports.
import * as z from 'zod';
import { SOURCE_FORMATS, type SourceSpec } from '../sample/sources/source.ts';

export const sourceSchema: z.ZodType<SourceSpec, SourceSpec> = z.strictObject({
  path: z.string(),
  format: z.enum(SOURCE_FORMATS).optional(),
  name: z.string().optional(),
  imageRoot: z.string().optional(),
});
