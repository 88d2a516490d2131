import {ArrayMaxSize, ArrayMinSize, Length, ValidateNested} from 'class-validator';
import {Field, InputType, ObjectType} from 'type-graphql';
import type {ColumnPair as Pair, Relationship as Declared} from '../../../warehouse/relationship.ts';
import {RelationshipKindEnum} from './enums.ts';

@ObjectType({description: 'Two columns that are equal in related rows.'})
export class ColumnPair {
  constructor(private readonly pair: Pair) {}

  @Field(() => String) get column(): string {
    return this.pair.column;
  }

  @Field(() => String, {description: 'Of the other dataset.'}) get toColumn(): string {
    return this.pair.toColumn;
  }
}

@ObjectType({description: 'Rows of another dataset as a field, declared by a mutation; those of foreign keys stand in the contract.'})
export class Relationship {
  constructor(private readonly declared: Omit<Declared, 'dataset'>, private readonly shownAs: boolean) {}

  @Field(() => String, {description: "The field's name."}) get name(): string {
    return this.declared.name;
  }

  @Field(() => RelationshipKindEnum) get kind(): Declared['kind'] {
    return this.declared.kind;
  }

  @Field(() => String, {description: 'The other dataset.'}) get to(): string {
    return this.declared.to;
  }

  @Field(() => [ColumnPair]) get on(): ColumnPair[] {
    return this.declared.on.map(pair => new ColumnPair(pair));
  }

  @Field(() => Boolean, {description: 'Whether the graph has the field now: not where one of its columns is gone, or a column has got its name.'}) get served(): boolean {
    return this.shownAs;
  }
}

@InputType()
export class ColumnPairInput {
  @Field(() => String) @Length(1, 255)
  column!: string;

  @Field(() => String, {description: 'Of the other dataset.'}) @Length(1, 255)
  toColumn!: string;
}

@InputType()
export class CreateRelationshipInput {
  @Field(() => String, {description: 'Whose rows get the field.'}) @Length(1, 63)
  dataset!: string;

  @Field(() => String, {description: 'Of the field.'}) @Length(1, 63)
  name!: string;

  @Field(() => RelationshipKindEnum)
  kind!: Declared['kind'];

  @Field(() => String, {description: 'The dataset whose rows the field shows.'}) @Length(1, 63)
  to!: string;

  @Field(() => [ColumnPairInput], {description: 'What is equal in related rows; several columns together.'})
  @ValidateNested() @ArrayMinSize(1) @ArrayMaxSize(16)
  on!: ColumnPairInput[];
}
