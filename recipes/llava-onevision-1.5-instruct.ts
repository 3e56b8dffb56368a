// The instruction mixture of LLaVA-OneVision-1.5 (22M): its nine categories with the published
// shares. Its 124 data sets are not listed by the paper; name yours `<category>/<set>`, or list them
// here with a cap and a licence each.
import { defineMixture, type MixtureConfig } from '../src/index.ts';

const mixture: MixtureConfig = defineMixture({
  name: 'llava-onevision-1.5-instruct',
  description:
    'Instruction data in the proportions of LLaVA-OneVision-1.5-Instruct (arXiv 2509.23661), ' +
    'percent of conversations.',
  categories: [
    { name: 'text only', weight: 28.0, sources: [{ name: 'text/*' }] },
    { name: 'general VQA', weight: 24.7, sources: [{ name: 'vqa/*' }] },
    { name: 'domain-specific', weight: 16.2, sources: [{ name: 'domain/*' }] },
    { name: 'OCR', weight: 11.1, sources: [{ name: 'ocr/*' }] },
    { name: 'chart and table', weight: 7.3, sources: [{ name: 'chart/*' }] },
    { name: 'caption', weight: 4.8, sources: [{ name: 'caption/*' }] },
    { name: 'science', weight: 4.1, sources: [{ name: 'science/*' }] },
    { name: 'code and math', weight: 3.3, sources: [{ name: 'code/*' }, { name: 'math/*' }] },
    { name: 'grounding and counting', weight: 0.6, sources: [{ name: 'grounding/*' }] },
  ],
});
export default mixture;
