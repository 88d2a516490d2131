/** A contract as the graph shows it: the same words as in a file beside the jobs. */
import {Field, ObjectType} from 'type-graphql';
import {contractDocument} from '../../../schemas/contract-document.ts';
import {kindOf, says} from '../../../schemas/contract.ts';
import type {Check as CheckRule, Compatibility, Contract as ContractRule, Fate, ForeignKey as ForeignKeyRule, Severity, WriteKind} from '../../../schemas/contract.ts';
import {CompatibilityEnum, FateEnum, SeverityEnum, WriteKindEnum} from './enums.ts';

@ObjectType({description: 'A column whose values are keys of another dataset.'})
export class ForeignKey {
  constructor(private readonly rule: ForeignKeyRule) {}

  @Field(() => String) get column(): string {
    return this.rule.column;
  }

  @Field(() => String) get references(): string {
    return this.rule.references;
  }

  @Field(() => String, {nullable: true, name: 'as'}) get relationship(): string | null {
    return this.rule.as ?? null;
  }
}

@ObjectType({description: 'One thing that must hold.'})
export class Check {
  constructor(private readonly rule: CheckRule, private readonly contract: ContractRule) {}

  @Field(() => String, {description: 'In words; the reason a quarantined row bears.'}) get says(): string {
    return says(this.rule);
  }

  @Field(() => String, {description: 'Such as range, set, sql.'}) get kind(): string {
    return kindOf(this.rule);
  }

  @Field(() => SeverityEnum, {description: 'WARN: told in the run, nothing else.'}) get severity(): Severity {
    return this.rule.severity ?? 'error';
  }

  @Field(() => FateEnum) get onBadRow(): Fate {
    return this.rule.onBadRow ?? this.contract.onBadRow ?? 'fail';
  }
}

@ObjectType({description: 'What may change or fail in a dataset, and what becomes of a row that breaks it.'})
export class Contract {
  constructor(private readonly rule: ContractRule) {}

  @Field(() => [String]) get key(): readonly string[] {
    return this.rule.key ?? [];
  }

  @Field(() => [ForeignKey]) get foreignKeys(): ForeignKey[] {
    return (this.rule.foreignKeys ?? []).map(one => new ForeignKey(one));
  }

  @Field(() => [Check]) get checks(): Check[] {
    return (this.rule.checks ?? []).map(one => new Check(one, this.rule));
  }

  @Field(() => FateEnum) get onBadRow(): Fate {
    return this.rule.onBadRow ?? 'fail';
  }

  @Field(() => CompatibilityEnum) get compatibility(): Compatibility {
    return this.rule.compatibility ?? 'none';
  }

  @Field(() => [WriteKindEnum], {description: 'What clients may do by mutations; empty: nothing.'}) get writes(): readonly WriteKind[] {
    return this.rule.writes ?? [];
  }

  @Field(() => String, {description: 'All of it in YAML, as a file jobs/<dataset>.contract.yaml says it.'}) get document(): string {
    return contractDocument(this.rule);
  }
}
