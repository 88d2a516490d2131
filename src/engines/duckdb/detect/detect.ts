import {stat} from 'node:fs/promises';
import {MillraceError} from '../../../core/errors.ts';
import type {Detection} from '../../../schemas/detection/detection.ts';
import type {Proposal, RawFiles, Unread} from '../../engine.ts';
import type {Lease} from '../database.ts';
import {queryColumns, relationSql} from '../relations.ts';
import {detectCsv, proposeCsv} from './csv.ts';
import {detectJson, typedDetection} from './json.ts';
import {typedScan} from './typed.ts';

/** How raw files are read and what their columns are; holds for every row of every file. @throws SOURCE_EMPTY, SOURCE_UNREADABLE */
export async function detected(lease: Lease, raw: RawFiles): Promise<Detection & {raw: RawFiles; unread?: Unread}> {
  await refuseEmpty(raw);
  if (raw.format === 'csv') return detectCsv(lease, raw);
  return raw.format === 'parquet' ? detectParquet(lease, raw) : detectJson(lease, raw);
}

/** What a sample alone says; null where that is not worth a try. @throws as `detected` */
export async function proposed(raw: RawFiles): Promise<Proposal | null> {
  await refuseEmpty(raw);
  return raw.format === 'csv' ? proposeCsv(raw) : null;
}

async function refuseEmpty({files}: RawFiles): Promise<void> {
  for (const file of files) {
    if ((await stat(file)).size === 0) throw new MillraceError('SOURCE_EMPTY', {path: file});
  }
}

async function detectParquet(lease: Lease, raw: RawFiles): Promise<Detection & {raw: RawFiles}> {
  const relation = relationSql(raw);
  const columns = await queryColumns(lease, relation);
  const finding = await typedScan(lease, relation, columns);
  return typedDetection(raw, columns.map(({name, type}) => ({id: 0, name, type, nullable: true})), finding, columns.map(() => []));
}
