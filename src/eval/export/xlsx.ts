// A spreadsheet of one sheet as .xlsx bytes: text and whole numbers, nothing else. The same rows give
// the same bytes. Zip entries are stored, not compressed.
import { crc32 } from 'node:zlib';

export type Cell = string | number;

const NAMESPACE = 'http://schemas.openxmlformats.org';
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/** @param rows the first is the header */
export function xlsx(rows: readonly (readonly Cell[])[]): Uint8Array {
  const sheet =
    `${HEAD}<worksheet xmlns="${NAMESPACE}/spreadsheetml/2006/main"><sheetData>` +
    rows.map((row, index) => `<row r="${index + 1}">${row.map(cell).join('')}</row>`).join('') +
    '</sheetData></worksheet>';
  return zip([
    ['[Content_Types].xml', CONTENT_TYPES],
    ['_rels/.rels', relations('officeDocument', 'xl/workbook.xml')],
    ['xl/workbook.xml', WORKBOOK],
    ['xl/_rels/workbook.xml.rels', relations('worksheet', 'worksheets/sheet1.xml')],
    ['xl/worksheets/sheet1.xml', sheet],
  ]);
}

const CONTENT_TYPES =
  `${HEAD}<Types xmlns="${NAMESPACE}/package/2006/content-types">` +
  '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
  '<Default Extension="xml" ContentType="application/xml"/>' +
  '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>' +
  '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>' +
  '</Types>';
const WORKBOOK =
  `${HEAD}<workbook xmlns="${NAMESPACE}/spreadsheetml/2006/main" ` +
  `xmlns:r="${NAMESPACE}/officeDocument/2006/relationships"><sheets>` +
  '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>';

function relations(type: string, target: string): string {
  return (
    `${HEAD}<Relationships xmlns="${NAMESPACE}/package/2006/relationships"><Relationship Id="rId1" ` +
    `Type="${NAMESPACE}/officeDocument/2006/relationships/${type}" Target="${target}"/></Relationships>`
  );
}

function cell(value: Cell): string {
  if (typeof value === 'number') return `<c><v>${value}</v></c>`;
  return `<c t="inlineStr"><is><t xml:space="preserve">${escaped(value)}</t></is></c>`;
}

/** XML text; characters that XML cannot hold are left out. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

function zip(entries: readonly (readonly [name: string, text: string])[]): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of entries) {
    const [path, body] = [Buffer.from(name), Buffer.from(text)];
    const common = entryHeader(path, body);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, path, body]);
    const central = Buffer.alloc(14);
    central.writeUInt32LE(offset, 10);
    const version = Buffer.from([20, 0]);
    directory.push(Buffer.from('PK\u0001\u0002'), version, common, central, path);
    parts.push(local);
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, index, end]);
}

/** What both headers of an entry share: version, flags (UTF-8), method, a fixed date, sizes. */
function entryHeader(path: Buffer, body: Buffer): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(20, 0);
  header.writeUInt16LE(0x0800, 2);
  header.writeUInt16LE(0x21, 8);
  header.writeUInt32LE(crc32(body), 10);
  header.writeUInt32LE(body.length, 14);
  header.writeUInt32LE(body.length, 18);
  header.writeUInt16LE(path.length, 22);
  return header;
}
