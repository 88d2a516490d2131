/** What mutations are given. Lengths and ranges are checked here; what a name or a definition means, by the services. */
import {ArrayMaxSize, ArrayMinSize, IsOptional, Length, Max, Min, ValidateNested} from 'class-validator';
import {Field, Float, ID, InputType, Int} from 'type-graphql';
import type {SourceFormat, SourceSpec} from '../../../sources/source.ts';
import type {WebhookTopic} from '../../../webhooks/webhook.ts';
import type {WriteMode} from '../../../warehouse/warehouse.ts';
import {ContractInput, ForeignKeyInput} from './contract-inputs.ts';
import type {EngineName} from '../../../engines/engine.ts';
import type {BackfillGrain} from '../../../pipelines/backfill.ts';
import type {EngineChoice} from '../../../pipelines/pipeline.ts';
import {BackfillGrainEnum, EngineChoiceEnum, EngineNameEnum, FormatEnum, IngestModeEnum, WebhookTopicEnum} from './enums.ts';
import {JsonScalar} from './scalars.ts';

const nameLength = [1, 63] as const;
const keyLength = [1, 200] as const;
const nullable = {nullable: true} as const;

@InputType({description: 'A table, a part of it, or a query.'})
export class HivePlaceInput {
  @Field(() => String, {...nullable, description: 'database.table, or a table of the database `default`.'})
  @IsOptional() @Length(1, 300)
  table?: string;

  @Field(() => String, {...nullable, description: "A condition in HiveQL; over the columns of the table's partitions alone it chooses partitions."})
  @IsOptional() @Length(1, 100_000)
  where?: string;

  @Field(() => String, {...nullable, description: 'A SELECT in HiveQL, instead of a table.'})
  @IsOptional() @Length(1, 1_000_000)
  query?: string;
}

@InputType({description: 'Where raw data lies: one of these.'})
export class SourceInput {
  @Field(() => String, {...nullable, description: 'A path or glob, relative to the project; or package:NAME/FILE.'})
  @IsOptional() @Length(1, 4096)
  path?: string;

  @Field(() => ID, {...nullable, description: 'The id that POST /uploads answered.'})
  @IsOptional() @Length(1, 64)
  upload?: string;

  @Field(() => HivePlaceInput, {...nullable, description: 'Of the Hive that is configured.'})
  @IsOptional() @ValidateNested()
  hive?: HivePlaceInput;
}

/** A source as services take it, without nulls. */
export const sourcePlace = ({path, upload, hive}: SourceInput): Pick<SourceSpec, 'path' | 'upload' | 'hive'> => ({
  path: path ?? undefined, upload: upload ?? undefined, hive: hive && {table: hive.table ?? undefined, where: hive.where ?? undefined, query: hive.query ?? undefined},
});

@InputType()
export class IngestInput {
  @Field(() => SourceInput)
  @ValidateNested()
  source!: SourceInput;

  @Field(() => String, {description: 'The dataset.'})
  @Length(...nameLength)
  into!: string;

  @Field(() => FormatEnum, {...nullable, description: "Said only where the file's name does not tell."})
  format?: SourceFormat;

  @Field(() => JsonScalar, {...nullable, description: "The reader's options: delimiter, header, quote, escape, nulls, types, compression, skip, dateFormat, timestampFormat."})
  options?: unknown;

  @Field(() => IngestModeEnum, {defaultValue: 'overwrite'})
  mode!: Exclude<WriteMode, 'overwrite_partitions'>;

  @Field(() => String, {...nullable, description: 'For MERGE: the row with the greatest value of this column wins. Default: the last one.'})
  @IsOptional() @Length(1, 255)
  latestBy?: string;

  @Field(() => String, {...nullable, description: 'For MERGE: SQL; a row for which it is true deletes the row of its key.'})
  @IsOptional() @Length(1, 10_000)
  deletedWhen?: string;

  @Field(() => Boolean, {defaultValue: false, description: 'Reads only the files of the path that the dataset has not read, by name and content; not with OVERWRITE.'})
  incremental!: boolean;

  @Field(() => [String], {...nullable, description: 'Columns that tell the rows apart; checked at each commit.'})
  @IsOptional() @ArrayMaxSize(16) @Length(1, 255, {each: true})
  key?: string[];

  @Field(() => [ForeignKeyInput], {...nullable, description: 'Columns whose values are keys of other datasets; checked at each commit.'})
  @IsOptional() @ArrayMaxSize(64) @ValidateNested({each: true})
  foreignKeys?: ForeignKeyInput[];

  @Field(() => ContractInput, {...nullable, description: "Instead of the dataset's own, from this commit on."})
  @IsOptional() @ValidateNested()
  contract?: ContractInput;

  @Field(() => String, {...nullable, description: 'The same key again answers with the run it started.'})
  @IsOptional() @Length(...keyLength)
  idempotencyKey?: string;
}

@InputType()
export class ReplayQuarantineInput {
  @Field(() => String, {description: 'The dataset, not its quarantine.'})
  @Length(...nameLength)
  dataset!: string;

  @Field(() => String, {...nullable, description: "An expression of the quarantine's columns, true for the rows to give; default: all."})
  @IsOptional() @Length(1, 100_000)
  where?: string;

  @Field(() => JsonScalar, {...nullable, description: "Column → an expression of the quarantine's columns that is its value now. What was read and is no value of its column is text in quarantine_raw."})
  setSql?: unknown;

  @Field(() => String, {...nullable, description: 'The same key again answers with the run it started.'})
  @IsOptional() @Length(...keyLength)
  idempotencyKey?: string;
}

@InputType()
export class StartRunInput {
  @Field(() => String)
  @Length(...nameLength)
  pipeline!: string;

  @Field(() => JsonScalar, {...nullable, description: 'An object: values by the names of parameters.'})
  params?: unknown;

  @Field(() => EngineChoiceEnum, {...nullable, description: 'For all its SQL steps, whatever these and the pipeline say.'})
  engine?: EngineChoice;

  @Field(() => String, {...nullable, description: 'The same key again answers with the run it started.'})
  @IsOptional() @Length(...keyLength)
  idempotencyKey?: string;
}

@InputType()
export class VerifyStepInput {
  @Field(() => String)
  @Length(...nameLength)
  pipeline!: string;

  @Field(() => String, {description: 'An SQL step of it.'})
  @Length(...nameLength)
  step!: string;

  @Field(() => JsonScalar, {...nullable, description: 'An object: values by the names of parameters.'})
  params?: unknown;

  @Field(() => [EngineNameEnum], {description: 'Two.'})
  @ArrayMinSize(2) @ArrayMaxSize(2)
  engines!: EngineName[];

  @Field(() => Float, {...nullable, description: 'How much two floats may differ, relative to the larger of them and 1; default 1e-9.'})
  @IsOptional() @Min(0) @Max(1)
  tolerance?: number;
}

@InputType()
export class BackfillInput {
  @Field(() => String)
  @Length(...nameLength)
  pipeline!: string;

  @Field(() => String, {description: 'A day of the first partition, such as 2001-06-30.'})
  @Length(1, 32)
  from!: string;

  @Field(() => String, {description: 'A day of the last partition.'})
  @Length(1, 32)
  to!: string;

  @Field(() => BackfillGrainEnum, {...nullable, description: "Default: that of the steps' partitionBy."})
  grain?: BackfillGrain;

  @Field(() => String, {...nullable, description: "The parameter (a date) that says which partition a run is for. Default: that of the steps' partitionBy, else partition."})
  @IsOptional() @Length(...nameLength)
  param?: string;

  @Field(() => JsonScalar, {...nullable, description: 'An object: the other parameters of the runs.'})
  params?: unknown;

  @Field(() => Boolean, {defaultValue: false, description: 'Runs the partitions that have succeeded once more.'})
  again!: boolean;
}

@InputType()
export class RegisterModelInput {
  @Field(() => String)
  @Length(...nameLength)
  model!: string;

  @Field(() => String, nullable)
  @IsOptional() @Length(0, 2000)
  description?: string;

  @Field(() => ID, {description: 'The upload of the .onnx file.'})
  @Length(1, 64)
  artifact!: string;

  @Field(() => [ID], {...nullable, description: 'Uploads of the external data beside it, under their own names.'})
  @IsOptional() @ArrayMaxSize(64) @Length(1, 64, {each: true})
  files?: string[];

  @Field(() => JsonScalar, {...nullable, description: '{inputs: {name: [values]}, outputs: {name: [values]}}: what the trainer\'s own library gave. It must be reproduced.'})
  examples?: unknown;

  @Field(() => JsonScalar, {...nullable, description: 'An object.'})
  metrics?: unknown;

  @Field(() => [ID], {...nullable, description: 'Snapshots it was trained on.'})
  @IsOptional() @ArrayMaxSize(1000) @Length(1, 64, {each: true})
  trainedOn?: string[];

  @Field(() => String, {...nullable, description: 'An alias to point at the new version.'})
  @IsOptional() @Length(...nameLength)
  alias?: string;
}

@InputType()
export class SetAliasInput {
  @Field(() => String)
  @Length(...nameLength)
  model!: string;

  @Field(() => String)
  @Length(...nameLength)
  alias!: string;

  @Field(() => Int, {...nullable, description: 'Null takes the alias away.'})
  @IsOptional() @Min(1) @Max(2 ** 31 - 1)
  version?: number;
}

@InputType()
export class DeployModelInput {
  @Field(() => String)
  @Length(...nameLength)
  model!: string;

  @Field(() => Int)
  @Min(1)
  version!: number;

  @Field(() => String, {defaultValue: 'champion', description: 'Is pointed at the version, and followed from then on.'})
  @Length(...nameLength)
  alias!: string;

  @Field(() => String, {description: 'The dataset.'})
  @Length(...nameLength)
  on!: string;

  @Field(() => JsonScalar, {...nullable, description: 'Model input → SQL expression of the columns, for inputs that are no column of their name.'})
  features?: unknown;

  @Field(() => String, {...nullable, name: 'as', description: "The field's name; default: the model's."})
  @IsOptional() @Length(...nameLength)
  as?: string;
}

@InputType()
export class CreateWebhookInput {
  @Field(() => String, {description: 'http or https, of a public address or of one that the setting webhooks.privateHosts names.'})
  @Length(1, 2000)
  url!: string;

  @Field(() => String, {...nullable, description: 'What bodies are signed with: whsec_ and 24 to 64 bytes in base64; default: a new one.'})
  @IsOptional() @Length(1, 200)
  secret?: string;

  @Field(() => [WebhookTopicEnum])
  @ArrayMaxSize(3)
  on!: WebhookTopic[];

  @Field(() => [String], {defaultValue: [], description: 'Of these pipelines alone.'})
  @ArrayMaxSize(100) @Length(...nameLength, {each: true})
  pipelines!: string[];

  @Field(() => [String], {defaultValue: [], description: 'About these datasets alone.'})
  @ArrayMaxSize(100) @Length(...nameLength, {each: true})
  datasets!: string[];
}

@InputType({description: 'What came from somewhere: one of these.'})
export class LineageRefInput {
  @Field(() => ID, nullable)
  @IsOptional() @Length(1, 64)
  snapshot?: string;

  @Field(() => String, {...nullable, description: 'dataset.column, of the newest snapshot.'})
  @IsOptional() @Length(3, 400)
  column?: string;

  @Field(() => String, {...nullable, description: 'model@number.'})
  @IsOptional() @Length(3, 100)
  modelVersion?: string;
}

/** Inputs of which exactly one field is given. */
export const oneOfInputs = [SourceInput.name, LineageRefInput.name];
