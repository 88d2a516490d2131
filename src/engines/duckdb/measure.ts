import type {Measured, Query} from '../engine.ts';
import {bind} from './database.ts';
import type {Lease} from './database.ts';
import {statement} from './relations.ts';

interface Operator {
  readonly operator_name?: string;
  readonly operator_cardinality?: number;
  readonly extra_info?: Readonly<Record<string, string>>;
  readonly children?: readonly Operator[];
}

interface Profile extends Operator {
  readonly cpu_time?: number;
  readonly system_peak_buffer_memory?: number;
}

/** Runs a query and gives its profile in place of its rows. */
export async function measured(lease: Lease, query: Query): Promise<Measured> {
  const prepared = await lease.prepare(`EXPLAIN (ANALYZE, FORMAT json) ${statement(query)}`);
  try {
    bind(prepared, query.params);
    const reader = await prepared.runAndReadAll();
    const profile = JSON.parse(reader.value(1, 0) as string) as Profile;
    const scans = scansOf(profile);
    return {
      rows: scans.reduce((sum, scan) => sum + (scan.operator_cardinality ?? 0), 0),
      files: scans.reduce((sum, {extra_info: info}) => sum + Number(info?.['Total Files Read'] ?? 0), 0),
      cpuMilliseconds: (profile.cpu_time ?? 0) * 1000,
      memory: profile.system_peak_buffer_memory ?? 0,
    };
  } finally {
    prepared.destroySync();
  }
}

const scansOf = (operator: Operator): Operator[] => [...(/PARQUET/.test(operator.operator_name ?? '') ? [operator] : []), ...(operator.children ?? []).flatMap(scansOf)];
