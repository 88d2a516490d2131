import type {Catalog, Stores} from '../catalog/catalog.ts';
import {MillraceError, didYouMean} from '../core/errors.ts';
import type {DatasetView, Datasets, Warehouse} from './warehouse.ts';

export interface DatasetsOptions {
  readonly catalog: Catalog;
  readonly warehouse: Pick<Warehouse, 'compact' | 'renameColumn' | 'setContract'>;
}

/** Datasets for the APIs and the command line: reads of the catalog, each of a fixed number of statements however much is asked for. */
export function createDatasets({catalog, warehouse}: DatasetsOptions): Datasets {
  const batch = <T>(work: (datasets: Stores['datasets']) => Promise<T>): Promise<T> => catalog.read(stores => work(stores.datasets));

  return {
    list: (_viewer, search = '') =>
      batch(async datasets => {
        // Records first: a dataset made between the two statements is left out, instead of a head without its record.
        const records = await datasets.list();
        const heads = await datasets.heads('main');
        return records.map(dataset => ({dataset, head: heads.get(dataset.name) ?? null})).filter(view => matches(view, search));
      }),

    schemas: (_viewer, known = []) => batch(datasets => datasets.schemas('main', known)),

    get: (_viewer, name) =>
      batch(async datasets => {
        const dataset = await datasets.byName(name);
        if (!dataset) throw datasetNotFound(name, await datasets.list());
        return {dataset, head: await datasets.head('main', name)};
      }),

    snapshotsOf: (_viewer, datasetIds, limit) => batch(datasets => datasets.snapshotsOf(datasetIds, limit)),
    snapshotsFrom: (_viewer, datasetId, sequence, limit) => batch(datasets => datasets.snapshotsFrom(datasetId, sequence, limit)),
    schemaVersionsOf: (_viewer, datasetIds, limit) => batch(datasets => datasets.schemaVersionsOf(datasetIds, limit)),
    snapshotsById: (_viewer, ids) => batch(datasets => datasets.snapshotsById(ids)),
    snapshotsOfRuns: (_viewer, runIds) => batch(datasets => datasets.snapshotsOfRuns(runIds)),
    files: (_viewer, snapshotId) => batch(async datasets => (await datasets.filesOf([snapshotId])).get(snapshotId)!),
    filesOf: (_viewer, snapshotIds) => batch(datasets => datasets.filesOf(snapshotIds)),
    setContract: (_viewer, name, contract) => warehouse.setContract(name, contract),
    renameColumn: (_viewer, name, from, to) => warehouse.renameColumn(name, from, to),
    compact: (_viewer, name) => warehouse.compact(name),
  };
}

/** DATASET_NOT_FOUND with the nearest name there is. */
export function datasetNotFound(name: string, datasets: readonly {readonly name: string}[]): MillraceError {
  return new MillraceError('DATASET_NOT_FOUND', {name, didYouMean: didYouMean(name, datasets.map(dataset => dataset.name))});
}

/** Whether every word of a search is part of the dataset's name or of a column's name or description, in any case. */
function matches({dataset, head}: DatasetView, search: string): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(word => word !== '');
  if (words.length === 0) return true;
  const columns = head?.schema.fields.flatMap(field => [field.name, field.sourceName ?? '', field.description ?? '']) ?? [];
  const text = [dataset.name, ...columns].join('\n').toLowerCase();
  return words.every(word => text.includes(word));
}
