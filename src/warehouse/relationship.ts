/**
 * Relationships: rows of another dataset as a field of a dataset's rows, where no foreign key of a contract says so. They are only read by: nothing is
 * checked when rows come.
 */
import type {Viewer} from '../core/viewer.ts';

/** One row (`object`: the first by `_row_id`, where several are equal) or all rows (`array`) of `to` that are equal in the columns. */
export interface Relationship {
  readonly dataset: string;
  /** Of the field. */
  readonly name: string;
  readonly kind: 'object' | 'array';
  readonly to: string;
  readonly on: readonly ColumnPair[];
}

export interface ColumnPair {
  readonly column: string;
  readonly toColumn: string;
}

export interface Relationships {
  /** By dataset and name. */
  list(viewer: Viewer): Promise<readonly Relationship[]>;
  /** @throws DATASET_NOT_FOUND, NAME_INVALID, NAME_TAKEN (another relationship has the name), ARGUMENT_INVALID (columns that are not there or do not compare) */
  create(viewer: Viewer, relationship: Relationship): Promise<void>;
  /** @throws DATASET_NOT_FOUND, RELATIONSHIP_NOT_FOUND */
  drop(viewer: Viewer, dataset: string, name: string): Promise<void>;
}

export interface RelationshipStore {
  list(): Promise<Relationship[]>;
  /** False: the dataset has one of this name. */
  add(relationship: Pick<Relationship, 'name' | 'kind' | 'on'> & {readonly datasetId: string; readonly toId: string; readonly createdBy: string}): Promise<boolean>;
  remove(datasetId: string, name: string): Promise<boolean>;
}
