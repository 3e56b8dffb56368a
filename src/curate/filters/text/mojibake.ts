// Drops captions whose characters went through a wrong encoding.
import { atMost, type Filter } from '../filter.ts';

/** C1 controls, the replacement character, UTF-8 read as Latin-1. */
const BROKEN = /[\u0080-\u009f\ufffd]|Ã[\u0080-\u00bf]|â€/gu;

/** Score: places that look broken. */
export function mojibake(): Filter {
  return atMost('mojibake', 0, ({ caption }) => caption.match(BROKEN)?.length ?? 0);
}
