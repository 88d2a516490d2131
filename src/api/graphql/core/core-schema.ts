import {GraphQLInputObjectType} from 'graphql';
import type {GraphQLSchema} from 'graphql';
import {buildSchemaSync} from 'type-graphql';
import {BackfillPartitionResolver, BackfillResolver} from './backfill-resolver.ts';
import {DatasetResolver} from './dataset-resolver.ts';
import {EngineResolver} from './engine-resolver.ts';
import {ErasureResolver} from './erasure-resolver.ts';
import {oneOfInputs} from './inputs.ts';
import {LineageResolver} from './lineage-resolver.ts';
import {MaintenanceResolver} from './maintenance-resolver.ts';
import {MetastoreResolver} from './metastore-resolver.ts';
import {ModelResolver} from './model-resolver.ts';
import {PipelineResolver} from './pipeline-resolver.ts';
import {ProposalResolver} from './proposal-resolver.ts';
import * as relations from './relations.ts';
import {PublicationResolver} from './publication-resolver.ts';
import {RelationshipResolver} from './relationship-resolver.ts';
import {RunEventsResolver, runEventTypes} from './run-events.ts';
import {ScheduleResolver} from './schedule-resolver.ts';
import {SystemResolver} from './system-resolver.ts';
import {validateArgument} from './validate.ts';
import {WebhookRelations, WebhookResolver} from './webhook-resolver.ts';

function noTopics(): never {
  throw new Error('there are no topics');
}

/** The static part of the graph. Needs `reflect-metadata`, imported once at the entry of the process. */
export function buildCoreSchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [DatasetResolver, RelationshipResolver, PipelineResolver, BackfillResolver, BackfillPartitionResolver, ProposalResolver, PublicationResolver, RunEventsResolver, ModelResolver, LineageResolver, ScheduleResolver, WebhookResolver, WebhookRelations, SystemResolver, EngineResolver, MetastoreResolver, MaintenanceResolver, ErasureResolver, ...Object.values(relations)],
    orphanedTypes: [...runEventTypes],
    validateFn: validateArgument,
    // Asked for wherever there are subscriptions, used only by those that name topics: ours begin iterations of their own.
    pubSub: {publish: noTopics, subscribe: noTopics},
  });
  for (const name of oneOfInputs) {
    const input = schema.getType(name);
    // TypeGraphQL has no word for it; the types are built once and shared by every version of the graph.
    if (input instanceof GraphQLInputObjectType) input.isOneOf = true;
  }
  return schema;
}
