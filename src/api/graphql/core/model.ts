/** Models, versions and deployments: the values they hold themselves. Fields that lead to other types are in relations.ts. */
import {Field, Float, ID, Int, ObjectType} from 'type-graphql';
import type {AliasRecord, DeploymentRecord, ModelBinding as BindingRecord, ModelRecord, ModelVersionRecord} from '../../../models/models.ts';
import {Column} from './dataset.ts';
import {BindingStateEnum} from './enums.ts';
import {BigIntScalar, DateTimeScalar, JsonScalar} from './scalars.ts';

@ObjectType({description: 'A registered model. Its versions are immutable, its aliases movable.'})
export class Model {
  constructor(readonly record: ModelRecord) {}

  @Field(() => String) get name(): string {
    return this.record.name;
  }

  @Field(() => String) get description(): string {
    return this.record.description;
  }

  @Field(() => DateTimeScalar) get createdAt(): Date {
    return this.record.createdAt;
  }
}

@ObjectType()
export class ArtifactFile {
  @Field(() => String) readonly name: string;
  @Field(() => BigIntScalar) readonly bytes: number;
  @Field(() => String) readonly sha256: string;

  constructor({name, bytes, sha256}: ModelVersionRecord['artifact']['files'][number]) {
    this.name = name;
    this.bytes = bytes;
    this.sha256 = sha256;
  }
}

@ObjectType({description: 'How a version is run: part of what it is.'})
export class ScoringSettings {
  constructor(private readonly settings: ModelVersionRecord['settings']) {}

  @Field(() => Int, {description: 'Rows of every batch; smaller ones are padded.'}) get batchRows(): number {
    return this.settings.batchRows;
  }

  @Field(() => Int) get intraOpThreads(): number {
    return this.settings.intraOpThreads;
  }

  @Field(() => Float, {description: 'How far the answer for a row alone differed from that in company; 0: not by a bit.'}) get tolerance(): number {
    return this.settings.tolerance;
  }
}

@ObjectType({description: 'What was found when the version came in.'})
export class GateReport {
  constructor(private readonly report: ModelVersionRecord['gate']) {}

  @Field(() => [String]) get operators(): readonly string[] {
    return this.report.operators;
  }

  @Field(() => String) get producer(): string {
    return this.report.producer;
  }

  @Field(() => String) get runtime(): string {
    return this.report.runtime;
  }

  @Field(() => Int, {nullable: true, description: 'Example rows that were reproduced; null when none came.'}) get parityRows(): number | null {
    return this.report.parity?.rows ?? null;
  }

  @Field(() => Float, {nullable: true}) get parityMaxDifference(): number | null {
    return this.report.parity?.maxDifference ?? null;
  }
}

@ObjectType({description: 'One immutable artifact of a model, with its signature and settings.'})
export class ModelVersion {
  constructor(readonly record: ModelVersionRecord) {}

  @Field(() => ID) get id(): string {
    return this.record.id;
  }

  @Field(() => Int) get number(): number {
    return this.record.number;
  }

  @Field(() => String, {description: 'READY: it passed the gate.'}) get readiness(): string {
    return 'READY';
  }

  @Field(() => [Column]) get inputs(): Column[] {
    return this.record.signature.inputs.map(field => new Column(field, undefined));
  }

  @Field(() => [Column]) get outputs(): Column[] {
    return this.record.signature.outputs.map(field => new Column(field, undefined));
  }

  @Field(() => JsonScalar) get metrics(): unknown {
    return this.record.metrics;
  }

  @Field(() => ScoringSettings) get settings(): ScoringSettings {
    return new ScoringSettings(this.record.settings);
  }

  @Field(() => GateReport) get gate(): GateReport {
    return new GateReport(this.record.gate);
  }

  @Field(() => [ArtifactFile]) get files(): ArtifactFile[] {
    return this.record.artifact.files.map(file => new ArtifactFile(file));
  }

  @Field(() => String, {description: 'SHA-256 over artifact and settings.'}) get fingerprint(): string {
    return this.record.fingerprint;
  }

  @Field(() => String) get createdBy(): string {
    return this.record.createdBy;
  }

  @Field(() => DateTimeScalar) get createdAt(): Date {
    return this.record.createdAt;
  }
}

@ObjectType({description: 'Where an alias points, and since when.'})
export class Alias {
  constructor(
    readonly record: AliasRecord,
    readonly model: ModelRecord,
  ) {}

  @Field(() => String, {name: 'alias'}) get title(): string {
    return this.record.alias;
  }

  @Field(() => DateTimeScalar) get since(): Date {
    return this.record.since;
  }
}

@ObjectType({description: 'A model served over a dataset, as a field of its rows.'})
export class Deployment {
  constructor(readonly record: DeploymentRecord) {}

  @Field(() => ID) get id(): string {
    return this.record.id;
  }

  @Field(() => String) get field(): string {
    return this.record.field;
  }

  @Field(() => String) get alias(): string {
    return this.record.alias;
  }

  @Field(() => JsonScalar, {description: 'Model input → expression of the columns, where it is not the column of its name.'}) get features(): unknown {
    return this.record.features;
  }

  @Field(() => Boolean) get enabled(): boolean {
    return this.record.enabled;
  }
}

@ObjectType({description: 'Whether a model is served over a dataset, and if not, why.'})
export class ModelBinding {
  constructor(readonly record: BindingRecord) {}

  @Field(() => Model) get model(): Model {
    return new Model(this.record.model);
  }

  @Field(() => BindingStateEnum) get state(): BindingRecord['state'] {
    return this.record.state;
  }

  @Field(() => String, {nullable: true}) get reason(): string | null {
    return this.record.reason;
  }

  @Field(() => [String], {description: 'Inputs that no column gives.'}) get missing(): readonly string[] {
    return this.record.missing;
  }

  @Field(() => Deployment, {nullable: true}) get deployment(): Deployment | null {
    return this.record.deployment && new Deployment(this.record.deployment);
  }
}
