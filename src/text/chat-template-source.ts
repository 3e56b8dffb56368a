// The chat format as a Jinja template, for other tools that open our checkpoints.
// Our own path is chat-template.ts; a test proves the two equal.

import {
  IM_END,
  IM_START,
  IMAGE_MARK,
  IMAGE_PAD,
  VIDEO_PAD,
  VISION_END,
  VISION_START,
} from './special-tokens.ts';

/** The system prompt that Qwen's template inserts when a conversation has none. */
export const QWEN_SYSTEM = 'You are a helpful assistant.';

/**
 * The text of chat_template.jinja. Message content is a string, in which `<image>` stands for an
 * image, or a list of parts `{type: 'image'}`, `{type: 'video'}` and `{type: 'text', text}`.
 * @param defaultSystem system prompt of conversations that have none; '' inserts none.
 */
export function chatTemplateSource(defaultSystem: string = QWEN_SYSTEM): string {
  const image = `${VISION_START}${IMAGE_PAD}${VISION_END}`;
  const video = `${VISION_START}${VIDEO_PAD}${VISION_END}`;
  const turn = (role: string, body: string): string => `${IM_START}${role}\n${body}${IM_END}\n`;
  const body =
    `{% if message.content is string %}` +
    `{{ message.content | replace('${IMAGE_MARK}', '${image}') }}` +
    `{% else %}{% for part in message.content %}` +
    `{% if part.type == 'image' or 'image' in part or 'image_url' in part %}${image}` +
    `{% elif part.type == 'video' or 'video' in part %}${video}` +
    `{% elif 'text' in part %}{{ part.text }}{% endif %}{% endfor %}{% endif %}`;
  const system =
    defaultSystem === ''
      ? ''
      : `{% if loop.first and message.role != 'system' %}` +
        `${turn('system', `{{ ${jinjaString(defaultSystem)} }}`)}{% endif %}`;
  return (
    `{% for message in messages %}${system}` +
    `${turn('{{ message.role }}', body)}{% endfor %}` +
    `{% if add_generation_prompt %}${IM_START}assistant\n{% endif %}`
  );
}

function jinjaString(text: string): string {
  const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '\n': '\\n' };
  return `'${text.replace(/[\\'\n]/g, (char) => escapes[char] ?? char)}'`;
}
