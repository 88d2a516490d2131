import {IsOptional, Length, ValidateNested} from 'class-validator';
import {Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Query, Resolver, UseMiddleware} from 'type-graphql';
import {MillraceError} from '../../../core/errors.ts';
import type {RawOptions} from '../../../engines/engine.ts';
import type {SourceFormat} from '../../../sources/source.ts';
import {jsonObject, jsonTexts} from './arguments.ts';
import type {CoreContext} from './context.ts';
import {ContractInput, plain} from './contract-inputs.ts';
import {Dataset} from './dataset.ts';
import {FormatEnum, IngestModeEnum} from './enums.ts';
import {NameTaken, NotFound, SchemaIncompatible, SourceUnreadable, answerUnion, failuresAsAnswers} from './failures.ts';
import {SourceInput, sourcePlace} from './inputs.ts';
import {Run} from './pipeline.ts';
import {SchemaProposal} from './proposal.ts';
import {JsonScalar} from './scalars.ts';

const nullable = {nullable: true} as const;

@InputType({description: "What shall be otherwise than proposed; by the proposal's names of columns, or those of the source."})
export class SchemaOverridesInput {
  @Field(() => JsonScalar, {...nullable, description: 'Column → type, for example decimal(18,2).'}) types?: unknown;
  @Field(() => JsonScalar, {...nullable, description: 'Column → words that mean null in it.'}) nulls?: unknown;
  @Field(() => JsonScalar, {...nullable, description: "Column → how its dates are written, in strptime's form."}) formats?: unknown;
  @Field(() => JsonScalar, {...nullable, description: 'Column → the name to have instead.'}) names?: unknown;
}

@InputType()
export class AcceptSchemaInput {
  @Field(() => ID) @Length(1, 64) proposal!: string;
  @Field(() => String) @Length(1, 63) dataset!: string;
  @Field(() => SchemaOverridesInput, nullable) @IsOptional() @ValidateNested() overrides?: SchemaOverridesInput;
  @Field(() => ContractInput, {...nullable, description: "What the dataset has to keep to beside its columns; default: its own, or what was suggested for a new one."})
  @IsOptional() @ValidateNested()
  contract?: ContractInput;

  @Field(() => Boolean, {defaultValue: true, description: 'Reads the source now, by a run; the contract comes true with its rows.'}) ingest!: boolean;
  @Field(() => IngestModeEnum, {defaultValue: 'overwrite'}) mode!: 'overwrite' | 'append';
  @Field(() => String, {...nullable, description: 'The same key again answers with the run it started.'}) @IsOptional() @Length(1, 200) idempotencyKey?: string;
}

@ObjectType()
export class SchemaAccepted {
  @Field(() => Dataset, {nullable: true, description: 'Null: it is new, and there once the run has succeeded.'}) readonly dataset: Dataset | null;
  @Field(() => Run, {nullable: true, description: 'Null: nothing is read now.'}) readonly run: Run | null;

  constructor(dataset: Dataset | null, run: Run | null) {
    this.dataset = dataset;
    this.run = run;
  }
}

const DetectSchemaResult = answerUnion('DetectSchemaResult', [SchemaProposal, SourceUnreadable, NotFound]);
const AcceptSchemaResult = answerUnion('AcceptSchemaResult', [SchemaAccepted, SchemaIncompatible, NameTaken, NotFound]);

@Resolver()
export class ProposalResolver {
  @Query(() => DetectSchemaResult, {description: 'What a source holds: its columns, how it is read, and why; every row is looked at. Nothing is ingested.'})
  @UseMiddleware(failuresAsAnswers)
  async detectSchema(
    @Ctx() {services: {proposals}, viewer, signal}: CoreContext,
    @Arg('source', () => SourceInput) source: SourceInput,
    @Arg('format', () => FormatEnum, {nullable: true, description: "Said only where the file's name does not tell."}) format?: SourceFormat,
    @Arg('options', () => JsonScalar, {nullable: true, description: "The reader's options; what is not said is detected."}) options?: unknown,
  ): Promise<typeof DetectSchemaResult> {
    const said = jsonObject(options, 'options') as RawOptions | undefined;
    return new SchemaProposal(await proposals.detect(viewer, {...sourcePlace(source), format: format ?? undefined, options: said}, signal));
  }

  @Mutation(() => AcceptSchemaResult, {description: "Makes a proposal's columns those of a dataset's contract, and reads the source with the options proposed."})
  @UseMiddleware(failuresAsAnswers)
  async acceptSchema(@Arg('input', () => AcceptSchemaInput) {overrides, contract, ...input}: AcceptSchemaInput, @Ctx() {services: {proposals}, viewer}: CoreContext): Promise<typeof AcceptSchemaResult> {
    const {dataset, run} = await proposals.accept(viewer, {
      ...input, idempotencyKey: input.idempotencyKey ?? undefined, contract: contract ? plain(contract) : undefined,
      overrides: overrides && {
        types: jsonTexts(overrides.types, 'input.overrides.types'), formats: jsonTexts(overrides.formats, 'input.overrides.formats'), names: jsonTexts(overrides.names, 'input.overrides.names'),
        nulls: nullWords(overrides.nulls),
      },
    });
    return new SchemaAccepted(dataset && new Dataset(dataset), run && new Run(run));
  }
}

function nullWords(value: unknown): Readonly<Record<string, readonly string[]>> | undefined {
  const words = jsonObject(value, 'input.overrides.nulls');
  if (words && !Object.values(words).every(list => Array.isArray(list) && list.every(word => typeof word === 'string'))) {
    throw new MillraceError('ARGUMENT_INVALID', {name: 'input.overrides.nulls', reason: 'its values must be lists of texts.'});
  }
  return words as Readonly<Record<string, readonly string[]>> | undefined;
}
