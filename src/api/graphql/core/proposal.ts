/** What detection says of a source. */
import {Field, ID, Int, ObjectType} from 'type-graphql';
import type {Evidence as EvidenceRecord} from '../../../schemas/detection/detection.ts';
import {ambiguities} from '../../../schemas/detection/detection.ts';
import type {ColumnProfile, Field as SchemaField} from '../../../schemas/schema.ts';
import {contractDocument} from '../../../schemas/contract-document.ts';
import type {ProposalRecord} from '../../../proposals/proposals.ts';
import {Column, RawFile} from './dataset.ts';
import {BigIntScalar, DateTimeScalar, JsonScalar} from './scalars.ts';

@ObjectType({description: 'Why something was taken for what it is.'})
export class Evidence {
  constructor(private readonly evidence: EvidenceRecord, private readonly of: string | null) {}

  @Field(() => String, {nullable: true, description: 'Null: of the whole source.'}) get column(): string | null {
    return this.of;
  }

  @Field(() => String, {description: 'A word for the kind: leading_zeros, null_words, ambiguous_dates …'}) get rule(): string {
    return this.evidence.rule;
  }

  @Field(() => String) get detail(): string {
    return this.evidence.detail;
  }

  @Field(() => BigIntScalar, {nullable: true, description: 'The values or lines it concerns; null where a number says nothing.'}) get count(): number | null {
    return this.evidence.count;
  }

  @Field(() => Boolean, {description: 'The data leaves it open: somebody should look.'}) get ambiguous(): boolean {
    return this.evidence.ambiguous === true;
  }
}

@ObjectType({description: 'How a text file is read; of other files only the encoding says something.'})
export class SourceDialect {
  constructor(private readonly proposal: ProposalRecord) {}

  private get dialect() {
    return this.proposal.detection.dialect;
  }

  @Field(() => String, {nullable: true}) get delimiter(): string | null {
    return this.dialect.delimiter;
  }

  @Field(() => String, {nullable: true}) get quote(): string | null {
    return this.dialect.quote;
  }

  @Field(() => String, {nullable: true}) get escape(): string | null {
    return this.dialect.escape;
  }

  @Field(() => Boolean, {nullable: true, description: 'The first record is names.'}) get header(): boolean | null {
    return this.dialect.header;
  }

  @Field(() => Int, {description: 'Lines left out before it.'}) get skip(): number {
    return this.dialect.skip;
  }

  @Field(() => String, {nullable: true, description: 'lf, crlf or cr.'}) get newline(): string | null {
    return this.dialect.newline;
  }

  @Field(() => String) get encoding(): string {
    return this.dialect.encoding;
  }

  @Field(() => [Evidence]) get evidence(): Evidence[] {
    return this.dialect.evidence.map(evidence => new Evidence(evidence, null));
  }
}

@ObjectType({description: 'A column as it would be, and why.'})
export class ProposedField extends Column {
  constructor(field: SchemaField, profile: ColumnProfile | undefined, private readonly reasons: readonly EvidenceRecord[]) {
    super(field, profile);
  }

  @Field(() => [Evidence]) get evidence(): Evidence[] {
    return this.reasons.map(evidence => new Evidence(evidence, this.name));
  }
}

@ObjectType({description: 'What a source holds, proven by all its rows. acceptSchema takes it by its id.'})
export class SchemaProposal {
  constructor(private readonly proposal: ProposalRecord) {}

  @Field(() => ID) get id(): string {
    return this.proposal.id;
  }

  @Field(() => [RawFile]) get files(): RawFile[] {
    return this.proposal.files.map(file => new RawFile(file));
  }

  @Field(() => BigIntScalar) get rowCount(): number {
    return this.proposal.detection.rowCount;
  }

  @Field(() => Int, {description: 'Rows that were looked at one by one, spread over all files: examples and histograms are theirs.'}) get sampleRows(): number {
    return this.proposal.detection.sampleRows;
  }

  @Field(() => SourceDialect) get dialect(): SourceDialect {
    return new SourceDialect(this.proposal);
  }

  @Field(() => [ProposedField]) get fields(): ProposedField[] {
    const {schema, profile, evidence} = this.proposal.detection;
    return schema.fields.map((field, index) => new ProposedField(field, profile[index], evidence[index]!.evidence));
  }

  @Field(() => [Evidence], {description: 'All that the data leaves open.'}) get ambiguities(): Evidence[] {
    return ambiguities(this.proposal.detection).map(({column, evidence}) => new Evidence(evidence, column));
  }

  @Field(() => JsonScalar, {description: "The reader's options, complete; `ingest` takes them as they are."}) get options(): unknown {
    return this.proposal.options;
  }

  @Field(() => JsonScalar, {description: 'What a new dataset would have to keep to.'}) get suggestedContract(): unknown {
    return this.proposal.suggestedContract;
  }

  @Field(() => String, {description: 'The same in YAML, to be edited.'}) get suggestedContractDocument(): string {
    return contractDocument(this.proposal.suggestedContract);
  }

  @Field(() => DateTimeScalar) get createdAt(): Date {
    return this.proposal.createdAt;
  }
}
