import type {Catalog} from '../catalog/catalog.ts';
import {MillraceError} from '../core/errors.ts';
import {changeSays, incompatibilities, isTransitive} from '../schemas/compatibility.ts';
import type {Compatibility} from '../schemas/contract.ts';
import type {Schema} from '../schemas/schema.ts';
import type {Breakage, SnapshotRecord} from './warehouse.ts';

/** Who reads a dataset and could not go on with other columns. */
export type FindBreakages = (dataset: string, before: Schema, after: Schema) => Promise<readonly Breakage[]>;

/** A transitive mode looks back at all versions. */
const allVersions = 2 ** 31 - 1;

/**
 * Refuses the schema of a commit that the contract's mode does not allow. What would break is looked for only then.
 * @throws SCHEMA_INCOMPATIBLE with the changes that are not allowed and what they break
 */
export async function refuseIncompatible(
  {catalog, breakages}: {readonly catalog: Catalog; readonly breakages: FindBreakages}, head: SnapshotRecord, schema: Schema, mode: Compatibility,
): Promise<void> {
  const {datasetId, datasetName: dataset, schemaVersion: newest} = head;
  const versions = isTransitive(mode) ? (await catalog.read(stores => stores.datasets.schemaVersionsOf([datasetId], allVersions))).get(datasetId)! : [];
  const earlier = versions.filter(({version}) => version < newest);
  const refused = incompatibilities(mode, [{version: newest, schema: head.schema}, ...earlier], schema);
  if (refused.length === 0) return;
  const breaks = await breakages(dataset, head.schema, schema);
  throw new MillraceError('SCHEMA_INCOMPATIBLE', {
    dataset,
    misfit: `is not ${mode.replace('_transitive', '')} compatible${isTransitive(mode) ? ' with all versions before' : ''}`,
    changes: refused.map(({since, change}) => `${changeSays(change)}${since === newest ? '' : ` (since version ${since})`}`).join(', '),
    broken: breaks.length === 0 ? '' : `It breaks ${breaks.map(({kind, name, detail}) => `${kind} ${name} (${detail})`).join('; ')}.`,
    mode, list: refused.map(({change}) => change), breaks,
  });
}
