/** What a collection of garbage did, or would do. */
import {Field, Float, Int, ObjectType} from 'type-graphql';
import type {Amount as AmountRecord, DatasetGarbage as DatasetRecord, Garbage as GarbageRecord, KeptBy, PastSnapshot} from '../../../maintenance/maintenance.ts';
import {KeptByEnum} from './enums.ts';
import {BigIntScalar, DateTimeScalar} from './scalars.ts';

@ObjectType({description: 'Of files.'})
export class Amount {
  @Field(() => Int) readonly files: number;
  @Field(() => BigIntScalar) readonly bytes: bigint;

  constructor({files, bytes}: AmountRecord) {
    this.files = files;
    this.bytes = bytes;
  }
}

@ObjectType({description: 'A snapshot whose rows are, or were a moment ago, kept.'})
export class PastOfDataset {
  constructor(private readonly past: PastSnapshot) {}

  @Field(() => String) get id(): string {
    return this.past.id;
  }

  @Field(() => Int) get sequence(): number {
    return this.past.sequence;
  }

  @Field(() => BigIntScalar) get rowCount(): bigint {
    return this.past.rowCount;
  }

  @Field(() => DateTimeScalar) get committedAt(): Date {
    return this.past.committedAt;
  }

  @Field(() => Float, {nullable: true, description: 'Days since it was followed by another; null while it is the newest.'}) get daysPast(): number | null {
    return this.past.daysPast;
  }
}

@ObjectType()
export class KeptSnapshot {
  @Field(() => PastOfDataset) readonly snapshot: PastOfDataset;
  @Field(() => KeptByEnum) readonly by: KeptBy;
  @Field(() => String, {nullable: true, description: "The pin's owner, the version, the run's id."}) readonly detail: string | null;

  constructor({snapshot, by, detail}: DatasetRecord['keeps'][number]) {
    this.snapshot = new PastOfDataset(snapshot);
    this.by = by;
    this.detail = detail;
  }
}

@ObjectType({description: 'What expires of a dataset, and what stays.'})
export class DatasetGarbage {
  @Field(() => String) readonly dataset: string;
  @Field(() => Int, {nullable: true, description: 'How many snapshots its rule keeps.'}) readonly snapshots: number | null;
  @Field(() => Int, {nullable: true, description: 'Of how many days its rule keeps what was newest at some time.'}) readonly days: number | null;
  @Field(() => [PastOfDataset], {description: 'Newest first.'}) readonly expires: readonly PastOfDataset[];
  @Field(() => Amount, {description: 'Files that only those have.'}) readonly freed: Amount;
  @Field(() => [KeptSnapshot], {description: 'Newest first.'}) readonly keeps: readonly KeptSnapshot[];

  constructor({dataset, retention, expires, freed, keeps}: DatasetRecord) {
    this.dataset = dataset;
    this.snapshots = retention.snapshots ?? null;
    this.days = retention.days ?? null;
    this.expires = expires.map(snapshot => new PastOfDataset(snapshot));
    this.freed = new Amount(freed);
    this.keeps = keeps.map(kept => new KeptSnapshot(kept));
  }
}

@ObjectType({description: 'What a collection did, or would do.'})
export class Garbage {
  @Field(() => [DatasetGarbage], {description: 'Datasets that have a rule.'}) readonly datasets: readonly DatasetGarbage[];
  @Field(() => Amount, {description: 'Files that are removed from the disk.'}) readonly removed: Amount;
  @Field(() => Amount, {description: 'Files of expired snapshots that stay until `warehouse.graceHours` are over.'}) readonly waiting: Amount;
  @Field(() => Int, {description: 'Folders of runs and commits that died; a plan does not look for them.'}) readonly folders: number;
  @Field(() => Amount) readonly uploads: Amount;
  @Field(() => Int, {description: 'Events of runs that finished long ago.'}) readonly events: number;

  constructor({datasets, removed, waiting, folders, uploads, events}: GarbageRecord) {
    this.datasets = datasets.map(dataset => new DatasetGarbage(dataset));
    this.removed = new Amount(removed);
    this.waiting = new Amount(waiting);
    this.folders = folders;
    this.uploads = new Amount(uploads);
    this.events = events;
  }
}
