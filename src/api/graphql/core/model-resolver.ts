import {Arg, Ctx, Field, Int, Mutation, ObjectType, Query, Resolver, UseMiddleware} from 'type-graphql';
import {MillraceError} from '../../../core/errors.ts';
import type {Examples} from '../../../inference/runtime.ts';
import {jsonObject, jsonTexts, orNull} from './arguments.ts';
import type {CoreContext} from './context.ts';
import {Dataset} from './dataset.ts';
import {ArtifactRejected, InvalidParams, NameTaken, NotFound, ParityFailed, SignatureMismatch, answerUnion, failuresAsAnswers} from './failures.ts';
import {DeployModelInput, RegisterModelInput, SetAliasInput} from './inputs.ts';
import {Deployment, Model, ModelVersion} from './model.ts';
import {JsonScalar} from './scalars.ts';

@ObjectType()
export class ModelRegistered {
  @Field(() => ModelVersion) readonly version: ModelVersion;

  constructor(version: ModelVersion) {
    this.version = version;
  }
}

@ObjectType()
export class AliasSet {
  @Field(() => Model) readonly model: Model;
  @Field(() => ModelVersion, {nullable: true}) readonly version: ModelVersion | null;

  constructor(model: Model, version: ModelVersion | null) {
    this.model = model;
    this.version = version;
  }
}

@ObjectType()
export class ModelDeployed {
  @Field(() => ModelVersion) readonly version: ModelVersion;
  @Field(() => Deployment) readonly deployment: Deployment;
  @Field(() => Dataset) readonly dataset: Dataset;

  constructor(version: ModelVersion, deployment: Deployment, dataset: Dataset) {
    this.version = version;
    this.deployment = deployment;
    this.dataset = dataset;
  }

  @Field(() => String, {description: "The field of the dataset's rows that holds the prediction."}) get field(): string {
    return this.deployment.field;
  }
}

@ObjectType()
export class ModelUndeployed {
  @Field(() => Dataset) readonly dataset: Dataset;

  constructor(dataset: Dataset) {
    this.dataset = dataset;
  }
}

@ObjectType({description: 'What a model says of given values.'})
export class PredictionMade {
  @Field(() => ModelVersion) readonly version: ModelVersion;
  @Field(() => [JsonScalar], {description: 'One object for each of the inputs, in their order.'}) readonly outputs: readonly unknown[];

  constructor(version: ModelVersion, outputs: readonly unknown[]) {
    this.version = version;
    this.outputs = outputs;
  }
}

const PredictResult = answerUnion('PredictResult', [PredictionMade, InvalidParams, NotFound]);
const RegisterModelResult = answerUnion('RegisterModelResult', [ModelRegistered, ArtifactRejected, ParityFailed, NameTaken, NotFound]);
const SetAliasResult = answerUnion('SetAliasResult', [AliasSet, NotFound, NameTaken]);
const DeployModelResult = answerUnion('DeployModelResult', [ModelDeployed, SignatureMismatch, NotFound, NameTaken]);
const UndeployModelResult = answerUnion('UndeployModelResult', [ModelUndeployed, NotFound]);

/** Rows of values that one request may ask predictions for. */
const mostInputs = 10_000;

@Resolver()
export class ModelResolver {
  @Query(() => [Model], {description: 'Models by name.'})
  async models(@Ctx() {services, viewer}: CoreContext): Promise<Model[]> {
    return (await services.models.list(viewer)).map(record => new Model(record));
  }

  @Query(() => Model, {nullable: true, description: 'Null: there is none of this name.'})
  async model(@Arg('name', () => String) name: string, @Ctx() {services, viewer}: CoreContext): Promise<Model | null> {
    return orNull('MODEL_NOT_FOUND', async () => new Model(await services.models.get(viewer, name)));
  }

  @Query(() => PredictResult, {description: 'Predictions for given values. Without version and alias: of the alias champion.'})
  @UseMiddleware(failuresAsAnswers)
  async predict(
    @Ctx() {services, viewer}: CoreContext,
    @Arg('model', () => String) model: string,
    @Arg('inputs', () => [JsonScalar], {description: "Objects: values by the names of the model's inputs."}) inputs: unknown[],
    @Arg('version', () => Int, {nullable: true}) version?: number,
    @Arg('alias', () => String, {nullable: true}) alias?: string,
  ): Promise<typeof PredictResult> {
    if (inputs.length > mostInputs) throw new MillraceError('ARGUMENT_INVALID', {name: 'inputs', reason: `there are more than ${mostInputs}.`});
    const rows = inputs.map((row, index) => jsonObject(row, `inputs[${index}]`) ?? {});
    const answer = await services.models.predict(viewer, model, {version: version ?? undefined, alias: alias ?? undefined}, rows);
    return new PredictionMade(new ModelVersion(answer.version), answer.outputs);
  }

  @Mutation(() => RegisterModelResult, {description: 'Puts an artifact through the gate and keeps it as the next version of the model, which is made if there is none.'})
  @UseMiddleware(failuresAsAnswers)
  async registerModel(@Arg('input', () => RegisterModelInput) input: RegisterModelInput, @Ctx() {services: {models, uploads}, viewer}: CoreContext): Promise<typeof RegisterModelResult> {
    const files = await Promise.all([input.artifact, ...(input.files ?? [])].map(async id => {
      const upload = await uploads.byId(id);
      if (!upload) throw new MillraceError('UPLOAD_NOT_FOUND', {id});
      return {name: upload.name, path: upload.path};
    }));
    const version = await models.register(viewer, {
      model: input.model,
      description: input.description ?? undefined,
      files,
      modelFile: files[0]!.name,
      examples: examplesOf(input.examples),
      metrics: jsonObject(input.metrics, 'input.metrics'),
      trainedOn: input.trainedOn ?? undefined,
      alias: input.alias ?? undefined,
      createdBy: viewer.name,
    });
    return new ModelRegistered(new ModelVersion(version));
  }

  @Mutation(() => SetAliasResult, {description: 'Points an alias at a version, or takes it away.'})
  @UseMiddleware(failuresAsAnswers)
  async setAlias(@Arg('input', () => SetAliasInput) {model, alias, version}: SetAliasInput, @Ctx() {services: {models}, viewer}: CoreContext): Promise<typeof SetAliasResult> {
    await models.setAlias(viewer, model, alias, version ?? null);
    return new AliasSet(new Model(await models.get(viewer, model)), version == null ? null : new ModelVersion(await models.resolve(model, {version})));
  }

  @Mutation(() => DeployModelResult, {description: 'Serves a version over a dataset, as a field of its rows.'})
  @UseMiddleware(failuresAsAnswers)
  async deployModel(@Arg('input', () => DeployModelInput) input: DeployModelInput, @Ctx() {services: {models, datasets}, viewer}: CoreContext): Promise<typeof DeployModelResult> {
    const {model, version, alias, on, as} = input;
    const deployment = await models.deploy(viewer, {model, version, alias, on, features: jsonTexts(input.features, 'input.features'), as: as ?? undefined});
    return new ModelDeployed(new ModelVersion(await models.resolve(model, {version})), new Deployment(deployment), new Dataset(await datasets.get(viewer, on)));
  }

  @Mutation(() => UndeployModelResult, {description: 'Takes the field away.'})
  @UseMiddleware(failuresAsAnswers)
  async undeployModel(
    @Arg('dataset', () => String) dataset: string,
    @Arg('field', () => String) field: string,
    @Ctx() {services: {models, datasets}, viewer}: CoreContext,
  ): Promise<typeof UndeployModelResult> {
    await models.undeploy(viewer, dataset, field);
    return new ModelUndeployed(new Dataset(await datasets.get(viewer, dataset)));
  }
}

/** @throws ARGUMENT_INVALID */
function examplesOf(value: unknown): Examples | undefined {
  const given = jsonObject(value, 'input.examples');
  if (!given) return undefined;
  const columns = (part: 'inputs' | 'outputs'): Record<string, readonly unknown[]> => {
    const object = jsonObject(given[part], `input.examples.${part}`) ?? {};
    if (Object.values(object).some(list => !Array.isArray(list))) throw new MillraceError('ARGUMENT_INVALID', {name: `input.examples.${part}`, reason: 'its values must be lists.'});
    return object as Record<string, readonly unknown[]>;
  };
  return {inputs: columns('inputs'), outputs: columns('outputs')};
}
