/** Failures a caller can act on, as types of the graph, and the one place that makes them from the error table. */
import {GraphQLUnionType, getNullableType} from 'graphql';
import {Field, Float, Int, InterfaceType, ObjectType, createUnionType} from 'type-graphql';
import type {MiddlewareFn} from 'type-graphql';
import {MillraceError, nearestName} from '../../../core/errors.ts';
import type {ErrorCode} from '../../../core/errors.ts';
import type {SchemaChange as ChangeRecord} from '../../../schemas/compatibility.ts';
import type {Compatibility} from '../../../schemas/contract.ts';
import type {Breakage as BreakageRecord} from '../../../warehouse/warehouse.ts';
import type {CoreContext} from './context.ts';
import {Breakage, SchemaChange} from './schema-version.ts';

@InterfaceType({description: 'Why something was not done, and what to do about it. `code` is stable.'})
export abstract class Failure {
  @Field(() => String) readonly code: ErrorCode;
  @Field(() => String) readonly message: string;
  @Field(() => String) readonly hint: string;

  constructor(protected readonly error: MillraceError) {
    this.code = error.code;
    this.message = error.message;
    this.hint = error.hint;
  }

  protected text(detail: string): string | null {
    const value = this.error.details[detail];
    return value === undefined || value === null ? null : String(value);
  }

  protected texts(detail: string): string[] {
    const value = this.error.details[detail];
    return Array.isArray(value) ? value.map(String) : value === undefined || value === null || value === '' ? [] : [String(value)];
  }

  protected number(detail: string): number {
    return Number(this.error.details[detail] ?? 0);
  }
}

@ObjectType({implements: Failure, description: 'A failure that has no type of its own: `code` tells which.'})
export class Refused extends Failure {}

@ObjectType({implements: Failure, description: 'What was named does not exist.'})
export class NotFound extends Failure {
  /** Names that exist and are near; set by `failuresAsAnswers`. */
  @Field(() => [String]) didYouMean: readonly string[] = [];
}

@ObjectType({implements: Failure, description: 'Parameters or inputs do not fit what was declared.'})
export class InvalidParams extends Failure {
  @Field(() => [String]) get issues(): string[] {
    return this.texts('issues').flatMap(issues => issues.split('; '));
  }
}

@ObjectType({implements: Failure, description: 'The name is taken, reserved or not legal.'})
export class NameTaken extends Failure {
  @Field(() => String) get suggestion(): string {
    return this.text('suggestion') ?? '';
  }
}

@ObjectType({implements: Failure, description: 'The source cannot be read.'})
export class SourceUnreadable extends Failure {
  @Field(() => String, {nullable: true}) get file(): string | null {
    return this.text('path');
  }
}

@ObjectType({implements: Failure, description: 'The artifact was refused at the gate.'})
export class ArtifactRejected extends Failure {
  @Field(() => String, {nullable: true}) get operator(): string | null {
    return this.text('operator');
  }
}

@ObjectType({implements: Failure, description: 'The model does not reproduce the examples that came with it.'})
export class ParityFailed extends Failure {
  @Field(() => Float) get maxDifference(): number {
    return this.number('maxDifference');
  }

  @Field(() => Int) get rowsDiffering(): number {
    return this.number('rowsDiffering');
  }
}

@ObjectType({implements: Failure, description: "The dataset lacks what the model's inputs need."})
export class SignatureMismatch extends Failure {
  @Field(() => [String]) get missing(): string[] {
    return this.texts('missing');
  }

  @Field(() => [String]) get wrongType(): string[] {
    return this.texts('wrongType');
  }
}

@ObjectType({implements: Failure, description: "The columns a dataset would have do not fit what lies there, or what its contract's compatibility allows."})
export class SchemaIncompatible extends Failure {
  @Field(() => [SchemaChange], {description: 'What is not allowed; empty where the columns could not even be read.'}) get changes(): SchemaChange[] {
    const {list = [], mode = 'none'} = this.error.details as {readonly list?: readonly ChangeRecord[]; readonly mode?: Compatibility};
    return list.map(change => new SchemaChange(change, mode));
  }

  @Field(() => [Breakage], {description: 'What reads the dataset and could not go on.'}) get breaks(): Breakage[] {
    const {breaks = []} = this.error.details as {readonly breaks?: readonly BreakageRecord[]};
    return breaks.map(breakage => new Breakage(breakage));
  }
}

@ObjectType({implements: Failure, description: 'The same question has another answer now.'})
export class ReceiptDiffers extends Failure {
  @Field(() => String, {nullable: true, description: 'SHA-256 of the answer the receipt was given for.'}) get expected(): string | null {
    return this.text('expected');
  }

  @Field(() => String, {nullable: true, description: 'SHA-256 of the answer now.'}) get actual(): string | null {
    return this.text('actual');
  }
}

type FailureClass = new (error: MillraceError) => Failure;

/** Codes with a type of their own, by exact code or by what they begin or end with; the rest is `Refused`. */
const classes: readonly (readonly [RegExp, FailureClass])[] = [
  [/^(UPLOAD|PROPOSAL|PUBLICATION)_NOT_FOUND$|^(DATASET|SNAPSHOT|PIPELINE|RELATIONSHIP|BACKFILL|SCHEDULE|WEBHOOK|DELIVERY|RUN|MODEL|MODEL_VERSION)_NOT_FOUND$/, NotFound],
  [/^(PARAMS|INPUT)_INVALID$/, InvalidParams],
  [/^NAME_/, NameTaken],
  [/^SOURCE_/, SourceUnreadable],
  [/^ARTIFACT_/, ArtifactRejected],
  [/^PARITY_FAILED$/, ParityFailed],
  [/^SIGNATURE_MISMATCH$/, SignatureMismatch],
  [/^RECEIPT_DIFFERS$/, ReceiptDiffers],
  [/^SCHEMA_INCOMPATIBLE$/, SchemaIncompatible],
];

type Constructor = abstract new (...args: never[]) => object;

/** A union of what an operation answers with and the failures its callers can act on; `Refused` is always one of them. */
export function answerUnion<const T extends readonly Constructor[]>(name: string, types: T): InstanceType<T[number]> | Refused {
  return createUnionType({name, types: () => [...types, Refused] as never}) as InstanceType<T[number]> | Refused;
}

/** The error as a failure of one of the types, or null when it is none a caller can act on. */
export function failureOf(error: MillraceError, types: ReadonlySet<string>): Failure | null {
  const own = classes.find(([pattern]) => pattern.test(error.code))?.[1];
  if (own && types.has(own.name)) return new own(error);
  return error.http < 500 && error.code !== 'UNAUTHENTICATED' && types.has(Refused.name) ? new Refused(error) : null;
}

/** For operations that answer with a union made by `answerUnion`: refused arguments and errors of services become its failures. */
export const failuresAsAnswers: MiddlewareFn<CoreContext> = async ({info, context}, next) => {
  try {
    return await next();
  } catch (error) {
    const union = getNullableType(info.returnType);
    if (!(error instanceof MillraceError) || !(union instanceof GraphQLUnionType)) throw error;
    const failure = failureOf(error, new Set(union.getTypes().map(({name}) => name)));
    if (failure === null) throw error;
    if (failure instanceof NotFound) failure.didYouMean = await nearNames(error, context);
    return failure;
  }
};

async function nearNames({code, details}: MillraceError, {services: {pipelines, datasets, models}, viewer}: CoreContext): Promise<string[]> {
  const names = code === 'DATASET_NOT_FOUND' ? (await datasets.list(viewer)).map(({dataset}) => dataset.name)
    : code === 'PIPELINE_NOT_FOUND' ? (await pipelines.list(viewer)).map(({name}) => name)
    : code === 'MODEL_NOT_FOUND' ? (await models.list(viewer)).map(({name}) => name) : [];
  const nearest = nearestName(String(details.name ?? ''), names);
  return nearest === undefined ? [] : [nearest];
}
