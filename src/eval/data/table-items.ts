// Items from a table on the hub, as the paper's harness asks them: a system message, the pictures
// first, then the text.
import { OneVisionError } from '../../core/errors.ts';
import { sha256Hex } from '../../core/hash.ts';
import type { SampleImage } from '../../sample/sample.ts';
import type { Benchmark } from '../benchmark.ts';
import type { EvalItem, ItemSource, OpenItemsOptions } from '../items.ts';
import { downloadCommand, findHubFolder, hashHubFolder } from './hub-folder.ts';
import { openTable } from './table.ts';
import type { TableData, TableItem } from './table-data.ts';

const SYSTEM = 'You are a helpful assistant.';
const IMAGE = '<image>';

/** @throws OneVisionError 'data' when files or columns are missing or rows are too few or many */
export async function openTableItems(
  { name }: Benchmark,
  dataRoot: string,
  data: TableData,
  { partial = false, hashCache }: OpenItemsOptions,
): Promise<ItemSource> {
  const folder = findHubFolder(data.source, dataRoot);
  const table = await openTable(folder, data.required, data.optional);
  try {
    const warnings: string[] = [];
    const { items, rows = items, unsure = false } = data.expected;
    if (table.numRows !== rows) {
      const message =
        `Benchmark ${name}: expected ${rows} rows in ${folder.files.join(', ')} of ` +
        `${folder.folder}, they have ${table.numRows}.`;
      if (table.numRows === 0 || !(partial || unsure)) {
        throw new OneVisionError('data', message, {
          hint: `fetch it whole: ${downloadCommand(data.source, dataRoot)}; or measure what is there with --partial`,
        });
      }
      warnings.push(message);
    }
    return {
      dataHash: await hashHubFolder(folder, hashCache),
      revision: folder.revision,
      numRows: table.numRows,
      warnings,
      async *read(from, to) {
        for await (const { index, fields } of table.read(from, to)) {
          for (const item of data.items(fields, index)) yield toItem(name, index, item);
        }
      },
      [Symbol.dispose]: table.close,
    };
  } catch (error) {
    table.close();
    throw error;
  }
}

function toItem(name: string, index: number, item: TableItem): EvalItem {
  const { part, text, system = SYSTEM, pictures, answers, options, question, columns } = item;
  const uid = `${name}:${index}${part === undefined ? '' : `/${part}`}`;
  const images: SampleImage[] = [];
  let fault: string | undefined;
  for (const picture of pictures) {
    if ('fault' in picture) fault ??= picture.fault;
    else images.push(picture);
  }
  const [first] = images;
  const shared = first === undefined ? uid : sha256Hex(first.bytes).slice(0, 16);
  return {
    uid,
    group: item.cluster ?? shared,
    context: [{ role: 'system', content: system }],
    images,
    question: IMAGE.repeat(images.length) + text.replaceAll(IMAGE, ''),
    answer: answers.join(' | '),
    options,
    scored: { uid, answers, options, question, columns },
    ...(fault === undefined ? {} : { fault }),
  };
}
