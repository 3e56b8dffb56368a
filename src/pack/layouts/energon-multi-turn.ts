// The packed layout of LLaVA-OneVision-2: as the packed one, but a list a sample, so that a sample has
// any number of images and turns.
import { z } from 'zod';
import { packKey } from '../record.ts';
import {
  contentsOf,
  factsOf,
  factsSchema,
  jsonPart,
  openRecord,
  turnsOf,
  withFacts,
} from './energon-record.ts';
import type { Layout } from './layout.ts';

const lists = z.array(z.array(z.string()));
const schema = z.looseObject({
  images: lists,
  prompts: lists,
  captions: lists,
  segments: factsSchema,
});

const LOADER = `# Makes the fields of a multi-turn PackedCaptioningSample from one record.


def sample_loader(raw):
    record = raw["json"]
    return dict(
        __key__=raw["__key__"],
        __restore_key__=raw["__restore_key__"],
        images=[
            [raw[f"img{s}_{i}.jpg"] for i in range(len(names))]
            for s, names in enumerate(record["images"])
        ],
        prompts=record["prompts"],
        captions=record["captions"],
        patch_positions=record["patch_positions"],
        fps=record["fps"],
        timestamp_decimal=record["timestamp_decimal"],
    )


def part_filter(part):
    return part == "json" or part.startswith("img")
`;

function imageName(sample: number, index: number): string {
  return `img${sample}_${index}.jpg`;
}

export const energonMultiTurn: Layout = {
  prefix: 'pretrain',
  single: false,
  rule: {
    sql: "regexp_full_match(roles, '(ua)+')",
    reason: 'the layout holds turns of user and assistant only',
  },
  energon: {
    module: 'aiak_training_llm.data.multimodal',
    className: 'PackedCaptioningSample',
    loader: LOADER,
  },
  encode: (pack, samples) => {
    const images = samples.flatMap((sample, s) =>
      sample.images.map(({ bytes }, i) => ({ name: imageName(s, i), bytes })),
    );
    const json = {
      images: samples.map((sample, s) => sample.images.map((_, i) => imageName(s, i))),
      prompts: samples.map((sample) => contentsOf(sample, 'user')),
      captions: samples.map((sample) => contentsOf(sample, 'assistant')),
      sample_count: samples.length,
      patch_positions: samples.map(() => []),
      fps: [],
      timestamp_decimal: [],
      segments: samples.map(factsOf),
    };
    return { key: packKey(pack), parts: [...images, jsonPart(json)] };
  },
  decode: (key, parts, where) => {
    const { json, image, fail } = openRecord(key, parts, where, schema);
    const { images, prompts, captions, segments } = json;
    const samples = prompts.map((questions, s) => {
      const answers = captions[s] ?? [];
      if (answers.length !== questions.length) {
        throw fail(`${questions.length} prompts and ${answers.length} captions in sample ${s}`);
      }
      const found = (images[s] ?? []).map((_, i) => image(imageName(s, i)));
      const content = { messages: turnsOf(questions, answers), images: found };
      return withFacts(content, segments?.[s], `${key}/${s}`);
    });
    return { key, samples };
  },
};
