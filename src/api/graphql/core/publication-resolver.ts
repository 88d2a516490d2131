import {Arg, Ctx, Field, Mutation, ObjectType, Resolver, UseMiddleware} from 'type-graphql';
import type {CoreContext} from './context.ts';
import {NotFound, answerUnion, failuresAsAnswers} from './failures.ts';

@ObjectType()
export class DatasetUnpublished {
  @Field(() => [String], {description: 'The view and the tables that were dropped.'}) readonly dropped: readonly string[];

  constructor(dropped: readonly string[]) {
    this.dropped = dropped;
  }
}

const UnpublishResult = answerUnion('UnpublishResult', [DatasetUnpublished, NotFound]);

@Resolver()
export class PublicationResolver {
  @Mutation(() => UnpublishResult, {description: 'Drops from Hive the view and the tables that publishing made under a name; the snapshots may expire again. The dataset stays.'})
  @UseMiddleware(failuresAsAnswers)
  async unpublishDataset(@Arg('table', () => String, {description: '`database.name`, as in the step that published it.'}) table: string, @Ctx() {services, viewer}: CoreContext): Promise<typeof UnpublishResult> {
    return new DatasetUnpublished(await services.publications.unpublish(viewer, table));
  }
}
