// Energon's random access: index.sqlite with one row a record and one a part.
import { rename, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { OneVisionError } from '../../core/errors.ts';
import { recordPlaces } from './records.ts';

const TABLES = `
  PRAGMA journal_mode = OFF;
  PRAGMA synchronous = OFF;
  CREATE TABLE samples (
    tar_file_id INTEGER NOT NULL,
    sample_key TEXT NOT NULL UNIQUE,
    sample_index INTEGER NOT NULL,
    byte_offset INTEGER,
    byte_size INTEGER
  );
  CREATE TABLE sample_parts (
    tar_file_id INTEGER,
    sample_index INTEGER,
    part_name TEXT,
    content_byte_offset INTEGER,
    content_byte_size INTEGER
  );
  BEGIN;`;
const INDEXES = `
  CREATE INDEX idx_samples_by_tar_and_idx ON samples(tar_file_id, sample_index);
  CREATE INDEX idx_sample_parts_seq
    ON sample_parts(tar_file_id, sample_index, content_byte_offset);
  CREATE INDEX idx_sample_parts_full
    ON sample_parts(tar_file_id, sample_index, part_name, content_byte_offset, content_byte_size);
  COMMIT;`;

/**
 * Indexes archives; the file appears when it is whole and depends on nothing but them.
 * @returns how many records each archive has.
 * @throws OneVisionError 'data' for a damaged archive or a key that comes twice.
 */
export async function writeSqliteIndex(
  path: string,
  archives: readonly string[],
): Promise<number[]> {
  const temporary = `${path}.tmp`;
  await rm(temporary, { force: true });
  const database = new DatabaseSync(temporary);
  const counts: number[] = [];
  try {
    database.exec(TABLES);
    const sample = database.prepare('INSERT INTO samples VALUES (?, ?, ?, ?, ?)');
    const part = database.prepare('INSERT INTO sample_parts VALUES (?, ?, ?, ?, ?)');
    for (const [id, archive] of archives.entries()) {
      let index = 0;
      for (const { key, offset, size, parts } of recordPlaces(archive)) {
        insertOnce(() => sample.run(id, key, index, offset, size), archive, key);
        for (const { name, offset: at, size: bytes } of parts) part.run(id, index, name, at, bytes);
        index += 1;
      }
      counts.push(index);
    }
    database.exec(INDEXES);
  } finally {
    database.close();
  }
  await rename(temporary, path);
  return counts;
}

function insertOnce(insert: () => unknown, archive: string, key: string): void {
  try {
    insert();
  } catch (cause) {
    throw new OneVisionError(
      'data',
      `expected keys to be unique over all archives, came ${key} again in ${archive}`,
      { hint: 'Energon refuses such a set: give the archives keys of their own', cause },
    );
  }
}
