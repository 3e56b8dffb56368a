// Filters that someone else measures: a module with a scorer of pictures, named in the settings.
// For nudity, faces, learned aesthetics: whatever has a model, which this project does not ship.
import type { RgbImage } from '../../image/pixels.ts';
import { openModule } from '../open-module.ts';
import type { Filter } from './filter.ts';
import type { HookConfig } from './settings.ts';

/** What a module exports under the name `scorer`. */
export interface PictureScorer {
  /** Called once a process. The function it gives must depend on the picture alone. */
  open(): Promise<ScorePicture> | ScorePicture;
}

/** The score of a picture; its meaning is the scorer's. */
export type ScorePicture = (image: RgbImage) => Promise<number> | number;

/** Score: what the scorer of this name says of the first image. */
export function hook({ name, min, max }: HookConfig): Filter {
  const [low, high] = [min ?? Number.NEGATIVE_INFINITY, max ?? Number.POSITIVE_INFINITY];
  return {
    name,
    limit: [min === undefined ? '' : `>= ${min}`, max === undefined ? '' : `<= ${max}`]
      .filter((part) => part !== '')
      .join(', '),
    score: ({ hooks }) => hooks[name] ?? null,
    accepts: (score) => score >= low && score <= high,
  };
}

/** @throws OneVisionError 'recipe' for a module that is missing or exports no scorer. */
export async function openHook({ name, module }: HookConfig): Promise<ScorePicture> {
  return await (await openModule<PictureScorer>(`filter ${name}`, module, 'scorer')).open();
}
