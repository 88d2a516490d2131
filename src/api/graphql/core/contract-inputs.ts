/** A contract as the graph takes it; what it means is checked by `parseContract`. */
import {ArrayMaxSize, IsOptional, Length, ValidateNested} from 'class-validator';
import {Field, Float, InputType, Int} from 'type-graphql';
import type {Compatibility, Fate, Severity, WriteKind} from '../../../schemas/contract.ts';
import {CompatibilityEnum, FateEnum, SeverityEnum, WriteKindEnum} from './enums.ts';
import {JsonScalar} from './scalars.ts';

const nullable = {nullable: true} as const;

@InputType()
export class ForeignKeyInput {
  @Field(() => String)
  @Length(1, 255)
  column!: string;

  @Field(() => String, {description: 'A dataset with a key of one column.'})
  @Length(1, 63)
  references!: string;

  @Field(() => String, {...nullable, name: 'as', description: "The relationship's field."})
  @IsOptional() @Length(1, 63)
  as?: string;

  @Field(() => FateEnum, {...nullable, description: "Default: the contract's."})
  onBadRow?: Fate;
}

@InputType()
export class RangeInput {
  @Field(() => String) @Length(1, 255) column!: string;
  @Field(() => JsonScalar, {...nullable, description: 'A number, or a date or time as text; included.'}) min?: unknown;
  @Field(() => JsonScalar, nullable) max?: unknown;
}

@InputType()
export class SetInput {
  @Field(() => String) @Length(1, 255) column!: string;
  @Field(() => [JsonScalar]) values!: unknown[];
}

@InputType()
export class PatternInput {
  @Field(() => String) @Length(1, 255) column!: string;
  @Field(() => String, {description: 'The whole text matches it.'}) @Length(1, 10_000) regex!: string;
}

@InputType()
export class LengthInput {
  @Field(() => String) @Length(1, 255) column!: string;
  @Field(() => Int, nullable) min?: number;
  @Field(() => Int, nullable) max?: number;
}

@InputType()
export class FreshnessInput {
  @Field(() => String) @Length(1, 255) column!: string;
  @Field(() => Float, {description: 'The newest value may be so old when the commit is made.'}) hours!: number;
}

@InputType()
export class RowCountInput {
  @Field(() => Int, nullable) min?: number;
  @Field(() => Int, nullable) max?: number;
  @Field(() => Float, {...nullable, description: 'A share of the rows before: 0.2 is a fifth more or fewer.'}) maxChange?: number;
}

@InputType()
export class DistributionInput {
  @Field(() => String) @Length(1, 255) column!: string;
  @Field(() => Float, {description: 'Against the last snapshots: 0 is the same, 1 has nothing in common.'}) maxDistance!: number;
}

@InputType({description: 'One thing that must hold: exactly one kind, and what goes with it. A null breaks notNull and nothing else.'})
export class CheckInput {
  @Field(() => String, nullable) @IsOptional() @Length(1, 255) notNull?: string;
  @Field(() => [String], nullable) @IsOptional() @ArrayMaxSize(64) unique?: string[];
  @Field(() => RangeInput, nullable) @IsOptional() @ValidateNested() range?: RangeInput;
  @Field(() => SetInput, nullable) @IsOptional() @ValidateNested() set?: SetInput;
  @Field(() => PatternInput, nullable) @IsOptional() @ValidateNested() pattern?: PatternInput;
  @Field(() => LengthInput, nullable) @IsOptional() @ValidateNested() length?: LengthInput;
  @Field(() => String, {...nullable, description: "An expression of one row's columns that is true, or null."}) @IsOptional() @Length(1, 100_000) sql?: string;
  @Field(() => FreshnessInput, nullable) @IsOptional() @ValidateNested() freshness?: FreshnessInput;
  @Field(() => RowCountInput, nullable) @IsOptional() @ValidateNested() rowCount?: RowCountInput;
  @Field(() => DistributionInput, nullable) @IsOptional() @ValidateNested() distribution?: DistributionInput;
  @Field(() => String, {...nullable, description: 'A SELECT over `this`, the dataset after the commit, whose one value is true.'}) @IsOptional() @Length(1, 100_000) query?: string;
  @Field(() => String, nullable) @IsOptional() @Length(1, 255) name?: string;
  @Field(() => SeverityEnum, nullable) severity?: Severity;
  @Field(() => FateEnum, nullable) onBadRow?: Fate;
  @Field(() => String, {...nullable, description: 'For sql: the column that NULL_VALUE empties.'}) @IsOptional() @Length(1, 255) column?: string;
}

@InputType()
export class RetentionInput {
  @Field(() => Int, nullable) snapshots?: number;
  @Field(() => Float, nullable) days?: number;
}

@InputType()
export class ContractInput {
  @Field(() => [String], {...nullable, description: 'Columns that tell rows apart.'}) @IsOptional() @ArrayMaxSize(16) key?: string[];
  @Field(() => [ForeignKeyInput], nullable) @IsOptional() @ArrayMaxSize(64) @ValidateNested({each: true}) foreignKeys?: ForeignKeyInput[];
  @Field(() => [CheckInput], nullable) @IsOptional() @ArrayMaxSize(1000) @ValidateNested({each: true}) checks?: CheckInput[];
  @Field(() => FateEnum, {...nullable, description: 'For what does not say it itself; default FAIL.'}) onBadRow?: Fate;
  @Field(() => CompatibilityEnum, {...nullable, description: 'Default NONE.'}) compatibility?: Compatibility;
  @Field(() => JsonScalar, {...nullable, description: 'Column → {type, source, description}: raw values that are none of the type are bad rows.'}) columns?: unknown;
  @Field(() => RetentionInput, nullable) @IsOptional() @ValidateNested() retention?: RetentionInput;
  @Field(() => [WriteKindEnum], {...nullable, description: 'What clients may do to single rows by mutations; default: nothing.'}) @IsOptional() @ArrayMaxSize(3) writes?: WriteKind[];
  @Field(() => String, {...nullable, description: 'What the dataset is, for people.'}) @IsOptional() @Length(1, 10_000) description?: string;
  @Field(() => JsonScalar, {...nullable, description: 'Column → {description, unit, deprecated}: what people read of it.'}) documentation?: unknown;
}

/** An input as plain data, without what was not said. */
export function plain(input: unknown): unknown {
  if (Array.isArray(input)) return input.map(plain);
  if (typeof input !== 'object' || input === null) return input;
  return Object.fromEntries(Object.entries(input).flatMap(([key, value]) => (value === undefined || value === null ? [] : [[key, plain(value)]])));
}
