/** Backfills: runs of a pipeline for every partition of a range. */
import {Field, ID, ObjectType} from 'type-graphql';
import {backfillStatus} from '../../../pipelines/backfill.ts';
import type {BackfillGrain, BackfillPartition as PartitionRecord, BackfillRecord, BackfillStatus} from '../../../pipelines/backfill.ts';
import type {RunStatus} from '../../../pipelines/pipeline.ts';
import type {CoreContext} from './context.ts';
import {BackfillGrainEnum, RunStatusEnum} from './enums.ts';
import {DateTimeScalar, JsonScalar} from './scalars.ts';

@ObjectType({description: 'A partition of a backfill.'})
export class BackfillPartition {
  constructor(
    readonly record: PartitionRecord,
    private readonly isCancelled: boolean,
  ) {}

  @Field(() => String, {description: 'Its first day.'}) get partition(): string {
    return this.record.partition;
  }

  @Field(() => RunStatusEnum, {description: "Its run's; WAITING: its run is still to be made."}) get status(): RunStatus {
    return this.record.runStatus ?? (this.isCancelled ? 'cancelled' : 'waiting');
  }
}

@ObjectType({description: 'Runs of a pipeline for every partition of a range: each until it has succeeded once.'})
export class Backfill {
  constructor(readonly record: BackfillRecord) {}

  @Field(() => ID) get id(): string {
    return this.record.id;
  }

  @Field(() => String, {name: 'pipeline'}) get pipelineName(): string {
    return this.record.pipeline;
  }

  @Field(() => BackfillGrainEnum) get grain(): BackfillGrain {
    return this.record.grain;
  }

  @Field(() => String, {description: 'The parameter that says which partition a run is for.'}) get param(): string {
    return this.record.param;
  }

  @Field(() => String, {description: 'The first day of its first partition.'}) get from(): string {
    return this.record.first;
  }

  @Field(() => String, {description: 'The first day of its last partition.'}) get to(): string {
    return this.record.last;
  }

  @Field(() => JsonScalar, {description: 'The other parameters of its runs.'}) get params(): unknown {
    return this.record.params;
  }

  @Field(() => String, {description: 'Who asked for it.'}) get requestedBy(): string {
    return this.record.requestedBy;
  }

  @Field(() => DateTimeScalar) get createdAt(): Date {
    return this.record.createdAt;
  }
}

/** How far a backfill is, from its partitions. */
export async function partitionsOf({record}: Backfill, {loaders}: CoreContext): Promise<{readonly status: BackfillStatus; readonly partitions: readonly PartitionRecord[]}> {
  const partitions = (await loaders.backfillPartitions.load(record.id)) ?? [];
  return {status: backfillStatus(record, partitions), partitions};
}
