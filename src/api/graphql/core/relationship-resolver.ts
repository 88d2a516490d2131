import {Arg, Ctx, Field, FieldResolver, Mutation, ObjectType, Resolver, Root, UseMiddleware} from 'type-graphql';
import {MillraceError} from '../../../core/errors.ts';
import type {GraphModel} from '../data/graph-model.ts';
import {shapesOf} from '../data/shape.ts';
import type {DatasetShape} from '../data/shape.ts';
import type {CoreContext} from './context.ts';
import {Dataset} from './dataset.ts';
import {NameTaken, NotFound, answerUnion, failuresAsAnswers} from './failures.ts';
import {CreateRelationshipInput, Relationship} from './relationship.ts';

@ObjectType()
export class RelationshipCreated {
  @Field(() => Dataset) readonly dataset: Dataset;

  constructor(dataset: Dataset) {
    this.dataset = dataset;
  }
}

@ObjectType()
export class RelationshipDropped {
  @Field(() => Dataset) readonly dataset: Dataset;

  constructor(dataset: Dataset) {
    this.dataset = dataset;
  }
}

const CreateRelationshipResult = answerUnion('CreateRelationshipResult', [RelationshipCreated, NameTaken, NotFound]);
const DropRelationshipResult = answerUnion('DropRelationshipResult', [RelationshipDropped, NotFound]);

@Resolver(() => Dataset)
export class RelationshipResolver {
  @FieldResolver(() => [Relationship], {description: 'Declared by `createRelationship`.'})
  relationships(@Root() {name}: Dataset, @Ctx() {services: {graphModel}}: CoreContext): Relationship[] {
    const model = graphModel.current();
    const declared = model.datasets.find(dataset => dataset.name === name)?.relationships ?? [];
    const shape = declared.length === 0 ? undefined : shapeIn(model, name);
    return declared.map(one => {
      const member = shape?.members.get(one.name);
      return new Relationship(one, (member?.kind === 'object' || member?.kind === 'array') && member.to === one.to);
    });
  }

  @Mutation(() => CreateRelationshipResult, {description: 'Shows rows of a dataset as a field of another one: in selections, filters and orderings. No row is checked.'})
  @UseMiddleware(failuresAsAnswers)
  async createRelationship(@Arg('input', () => CreateRelationshipInput) input: CreateRelationshipInput, @Ctx() {services: {relationships, datasets, graphModel}, viewer}: CoreContext): Promise<typeof CreateRelationshipResult> {
    const {dataset, name, kind} = input;
    const view = await datasets.get(viewer, dataset);
    await graphModel.refresh();
    const shape = shapeIn(graphModel.current(), dataset);
    for (const wanted of kind === 'array' ? [name, `${name}_aggregate`] : [name]) refuseTaken(wanted, name, shape);
    await relationships.create(viewer, input);
    await graphModel.refresh();
    return new RelationshipCreated(new Dataset(view));
  }

  @Mutation(() => DropRelationshipResult, {description: 'Takes the field away; no row changes. Live queries that ask for it end.'})
  @UseMiddleware(failuresAsAnswers)
  async dropRelationship(@Arg('dataset', () => String) dataset: string, @Arg('name', () => String) name: string, @Ctx() {services: {relationships, datasets, graphModel}, viewer}: CoreContext): Promise<typeof DropRelationshipResult> {
    await relationships.drop(viewer, dataset, name);
    await graphModel.refresh();
    return new RelationshipDropped(new Dataset(await datasets.get(viewer, dataset)));
  }
}

const shapeIn = (model: GraphModel, dataset: string): DatasetShape | undefined => shapesOf(model).get(dataset);

const shownAs = {rowId: 'the row id', cursor: 'the cursor', column: 'a column', object: 'a relationship', array: 'a relationship', arrayAggregate: 'a relationship', prediction: 'a prediction'} as const;

/** Of a column that comes later the column is shown. @throws NAME_TAKEN */
function refuseTaken(wanted: string, name: string, shape: DatasetShape | undefined): void {
  const member = shape?.members.get(wanted);
  if (!member) return;
  let suggestion = `${name}_row`;
  while (shape!.members.has(suggestion)) suggestion += 's';
  throw new MillraceError('NAME_TAKEN', {name: wanted, by: `${shownAs[member.kind]} of '${shape!.name}'`, suggestion});
}
