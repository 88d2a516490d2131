import type {Catalog} from '../catalog/catalog.ts';
import type {Logger} from '../core/logging.ts';
import type {SnapshotRecord} from '../warehouse/warehouse.ts';

const hour = 3_600_000;

/** A contract's check, as it was found. */
interface Look {
  readonly datasetId: string;
  readonly rule: string;
  readonly column: string;
  readonly hours: number;
  readonly snapshot: SnapshotRecord;
  readonly newest: Date | null;
  readonly isStale: boolean;
}

/**
 * Looks whether datasets have become older than their contracts allow, and tells of each that has, once, until it is fresh again.
 * @param clock default: the database's
 */
export async function lookAtFreshness(catalog: Catalog, logger: Logger, clock?: () => Date): Promise<void> {
  const {looks, known} = await catalog.read(async stores => {
    const now = clock?.() ?? (await stores.schedules.now());
    const found: Look[] = [];
    for (const {id, name, contract} of await stores.datasets.list()) {
      const checks = (contract.checks ?? []).flatMap(({freshness}) => (freshness ? [freshness] : []));
      const snapshot = checks.length > 0 ? await stores.datasets.head('main', name) : null;
      if (snapshot) for (const {column, hours} of checks) found.push({datasetId: id, rule: `${column} ${hours}`, column, hours, snapshot, ...ageOf(snapshot, column, hours, now)});
    }
    return {looks: found, known: await stores.webhooks.stale()};
  });
  const keyOf = ({datasetId, rule}: {datasetId: string; rule: string}): string => `${datasetId} ${rule}`;
  const knownKeys = new Set(known.map(keyOf));
  const stale = looks.filter(({isStale}) => isStale);
  for (const look of stale) if (!knownKeys.has(keyOf(look))) await tell(catalog, logger, look);
  // Fresh again, or no longer checked.
  const staleKeys = new Set(stale.map(keyOf));
  for (const {datasetId, rule} of known) if (!staleKeys.has(keyOf({datasetId, rule}))) await catalog.transaction(stores => stores.webhooks.becomesFresh(datasetId, rule));
}

async function tell(catalog: Catalog, logger: Logger, {datasetId, rule, column, hours, snapshot, newest}: Look): Promise<void> {
  const dataset = snapshot.datasetName;
  const isNew = await catalog.transaction(async stores => {
    if (!(await stores.webhooks.becomesStale(datasetId, rule))) return false;
    const run = snapshot.runId === null ? null : await stores.runs.run(snapshot.runId);
    await stores.webhooks.enqueue({kind: 'freshness', dataset, snapshotId: snapshot.id, run, column, hours, newest});
    return true;
  });
  if (isNew) logger.warn({dataset, column, hours, newest}, 'a dataset is older than its contract allows');
}

/** Of a dataset without a value, the commit is what ages. */
function ageOf({schema, profile, committedAt}: SnapshotRecord, column: string, hours: number, now: Date): Pick<Look, 'newest' | 'isStale'> {
  const kind = schema.fields.find(({name}) => name === column)?.type.kind;
  // No time can be told from other columns.
  if (kind !== 'date' && kind !== 'timestamp') return {newest: null, isStale: false};
  const newest = instantOf(profile.find(({name}) => name === column)?.max ?? null);
  return {newest, isStale: now.getTime() - (newest ?? committedAt).getTime() > hours * hour};
}

/** The instant that the text of a date or a timestamp means; without an offset, in UTC. */
export function instantOf(text: string | null): Date | null {
  const match = /^(\d{4,}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)(\.\d+)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(text ?? '');
  if (!match) return null;
  const [, date, time = '00:00:00', fraction = '', offset = 'Z'] = match;
  const instant = new Date(`${date}T${time}${fraction.slice(0, 4)}${/^[+-]\d\d$/.test(offset) ? `${offset}:00` : offset}`);
  return Number.isNaN(instant.getTime()) ? null : instant;
}
