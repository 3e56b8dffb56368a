// Drops captions in which a captioning model refused instead of describing.
import { atMost, type Filter } from '../filter.ts';

const OPENINGS =
  /^\W*(?:i['’]?m sorry|i am sorry|sorry,|i can(?:['’]t|not)|i['’]?m (?:unable|not able)|i am (?:unable|not able)|as an ai)\b/i;

/** Score: 1 for a refusal, else 0. */
export function refusal(): Filter {
  return atMost('refusal', 0, ({ caption }) => (OPENINGS.test(caption) ? 1 : 0));
}
