// The unpacked layout of LLaVA-OneVision-1.5's instruction sets: one sample a record, all its images
// and turns, roles as they are.
import { z } from 'zod';
import type { Message } from '../../sample/sample.ts';
import { factsOf, factsSchema, jsonPart, openRecord, withFacts } from './energon-record.ts';
import type { Layout } from './layout.ts';

const messagesSchema = z.array(
  z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }),
);
const schema = z.looseObject({
  texts: messagesSchema,
  media: z.enum(['image', 'video', 'text']).optional(),
  name: z.array(z.string()).optional(),
  segments: factsSchema,
});

const LOADER = `# Makes the fields of MultiMixQASample from one record.


def sample_loader(raw):
    record = raw["json"]
    system = [m["content"] for m in record["texts"] if m["role"] == "system"]
    messages = [m for m in record["texts"] if m["role"] != "system"]
    media = [raw[name] for name in record.get("name", [])]
    return dict(
        __key__=raw["__key__"],
        __restore_key__=raw["__restore_key__"],
        messages=messages,
        video=media if record["media"] == "video" else None,
        image=media if record["media"] == "image" else None,
        system=system[0] if system else None,
    )


def part_filter(part):
    return True
`;

export const energonUnpacked: Layout = {
  prefix: 'pretrain',
  single: true,
  rule: undefined,
  energon: {
    module: 'aiak_training_llm.data.multimodal',
    className: 'MultiMixQASample',
    loader: LOADER,
  },
  encode: (index, [sample]) => {
    const images = sample?.images ?? [];
    const media = images.length > 0 ? 'image' : 'text';
    const names = images.map((image, i) => `${i}_${image.name}`);
    const json = {
      texts: sample?.messages ?? [],
      media,
      ...(names.length > 0 ? { name: names } : {}),
      segments: sample === undefined ? [] : [factsOf(sample)],
    };
    const parts = images.map(({ bytes }, i) => ({ name: names[i] ?? '', bytes }));
    return { key: `${media}_${index}`, parts: [...parts, jsonPart(json)] };
  },
  decode: (key, parts, where) => {
    const { json, image, fail } = openRecord(key, parts, where, schema);
    if (json.media === 'video') throw fail('a video, which this version does not read');
    const messages: Message[] = json.texts;
    const images = (json.name ?? []).map((name) => {
      return { ...image(name), name: name.replace(/^\d+_/, '') };
    });
    return { key, samples: [withFacts({ messages, images }, json.segments?.[0], key)] };
  },
};
