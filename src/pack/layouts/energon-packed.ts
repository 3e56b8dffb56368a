// The packed layout of LLaVA-OneVision-1.5 and its released sets: three parallel lists, sub-sample i
// is image i, prompt i, caption i. One image and one turn a sample.
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

const schema = z.looseObject({
  images: z.array(z.string()),
  prompts: z.array(z.string()),
  captions: z.array(z.string()),
  segments: factsSchema,
});

const LOADER = `# Makes the fields of PackedCaptioningSample from one record.


def sample_loader(raw):
    record = raw["json"]
    return dict(
        __key__=raw["__key__"],
        __restore_key__=raw["__restore_key__"],
        images=[raw[f"img{i}.jpg"] for i in range(len(record["images"]))],
        prompts=record["prompts"],
        captions=record["captions"],
    )


def part_filter(part):
    return part == "json" or part.startswith("img")
`;

/** Names end in .jpg whatever the bytes are: readers decode by content, and look for that name. */
function imageName(index: number): string {
  return `img${index}.jpg`;
}

export const energonPacked: Layout = {
  prefix: 'pretrain',
  single: false,
  rule: {
    sql: "images = 1 AND roles = 'ua'",
    reason: 'the layout holds one image, one question and one answer a sample',
  },
  energon: {
    module: 'aiak_training_llm.data.multimodal',
    className: 'PackedCaptioningSample',
    loader: LOADER,
  },
  encode: (pack, samples) => {
    const images = samples.map((_, i) => imageName(i));
    const json = {
      images,
      prompts: samples.flatMap((sample) => contentsOf(sample, 'user')),
      captions: samples.flatMap((sample) => contentsOf(sample, 'assistant')),
      segments: samples.map(factsOf),
    };
    const parts = samples.map((sample, i) => {
      return { name: imageName(i), bytes: sample.images[0]?.bytes ?? new Uint8Array() };
    });
    return { key: packKey(pack), parts: [...parts, jsonPart(json)] };
  },
  decode: (key, parts, where) => {
    const { json, image, fail } = openRecord(key, parts, where, schema);
    const { images, prompts, captions, segments } = json;
    if (prompts.length !== images.length || captions.length !== images.length) {
      const lengths = [images, prompts, captions].map((list) => list.length).join(', ');
      throw fail(`${lengths} images, prompts and captions`);
    }
    const samples = prompts.map((prompt, i) => {
      const marked = prompt.includes('<image>') ? prompt : `<image>${prompt}`;
      const messages = turnsOf([marked], captions.slice(i, i + 1));
      const content = { messages, images: [image(imageName(i))] };
      return withFacts(content, segments?.[i], `${key}/${i}`);
    });
    return { key, samples };
  },
};
