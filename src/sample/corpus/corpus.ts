// The embedded corpus: packages fetched by name become raw image–caption samples on this machine.
import { OneVisionError } from '../../core/errors.ts';
import { type Logger, log as processLog } from '../../core/log.ts';
import { hashConfig, isComplete, type Manifest, readManifest } from '../manifest.ts';
import { type CorpusConfig, type CorpusInput, corpusSchema } from './config.ts';
import { EMOJI_STYLES, listEmoji } from './emoji.ts';
import { readEmojibase } from './emojibase.ts';
import { listOpenclipart, OPENCLIPART_PACKAGE } from './openclipart.ts';
import { hasPackage, packageVersion } from './packages.ts';
import type { Picture } from './picture.ts';
import { listPysiogame, PYSIOGAME_PACKAGE } from './pysiogame.ts';
import { renderCorpus } from './render-corpus.ts';
import { listTuxpaint, TUXPAINT_PACKAGE } from './tuxpaint.ts';

export interface BuildCorpusOptions extends CorpusInput {
  readonly output: string;
  readonly log?: Logger;
}

interface PictureSource {
  readonly package: string;
  list(): Picture[];
}

const DEBIAN_SOURCES: readonly PictureSource[] = [
  { package: OPENCLIPART_PACKAGE, list: listOpenclipart },
  { package: TUXPAINT_PACKAGE, list: listTuxpaint },
  { package: PYSIOGAME_PACKAGE, list: listPysiogame },
];
/** Of 7,400 openclipart drawings 19 are not well-formed XML. */
const MAX_SKIP_RATE = 0.005;

/**
 * Render the packages of a profile to raw samples: `[{user: '<image>'}, {assistant: caption}]`, a
 * PNG that keeps its transparency, meta {label, tags, style, …}. Sides of the split go by group.
 *
 * @throws OneVisionError 'data' when a package of the emoji profile is absent, with the command that
 * fetches it. Absent Debian packages are left out with a warning.
 */
export async function buildCorpus(options: BuildCorpusOptions): Promise<Manifest> {
  const { output, log = processLog, ...given } = options;
  const config = corpusSchema.parse(given);
  const sources = chooseSources(config, log);
  const versions = sources.map((source) => packageVersion(source.package));
  const configHash = hashConfig('corpus/2', config, versions);
  if (isComplete(output, configHash)) return readManifest(output);
  const pictures = sources.flatMap((source) => source.list());
  if (pictures.length === 0) {
    throw new OneVisionError('data', `Expected pictures in the ${config.profile} packages, got 0.`);
  }
  const { size, samplesPerShard } = config;
  const maxSkipRate = MAX_SKIP_RATE;
  return renderCorpus({ output, pictures, size, samplesPerShard, configHash, maxSkipRate, log });
}

function chooseSources({ profile, styles }: CorpusConfig, log: Logger): PictureSource[] {
  let entries: ReturnType<typeof readEmojibase> | undefined;
  const words = (): ReturnType<typeof readEmojibase> => {
    entries ??= readEmojibase();
    return entries;
  };
  const emoji = EMOJI_STYLES.filter((style) => styles.includes(style.name)).map(
    (style): PictureSource => ({ package: style.package, list: () => listEmoji(style, words()) }),
  );
  if (profile === 'emoji') return emoji;
  const debian = DEBIAN_SOURCES.filter((source) => {
    const isHere = hasPackage(source.package);
    if (!isHere) log.warn(`${source.package} is not installed and is left out of the corpus`);
    return isHere;
  });
  return [...emoji, ...debian];
}
