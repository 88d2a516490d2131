import {Arg, Ctx, Field, Int, ObjectType, Query, Resolver, UseMiddleware} from 'type-graphql';
import type {VerifiedReceipt} from '../receipt.ts';
import type {CoreContext} from './context.ts';
import {NotFound, ReceiptDiffers, answerUnion, failuresAsAnswers} from './failures.ts';
import type {SystemFacts} from '../services.ts';

@ObjectType({description: 'This installation.'})
export class System {
  @Field(() => String) readonly version: string;
  @Field(() => String, {description: 'pglite or postgresql.'}) readonly catalog: string;
  @Field(() => String, {description: 'Whatever changes results: engine and runtime with their versions.'}) readonly fingerprint: string;

  constructor({version, catalog, fingerprint}: SystemFacts) {
    this.version = version;
    this.catalog = catalog;
    this.fingerprint = fingerprint;
  }
}

@ObjectType({description: 'The same question has the same answer, to the byte.'})
export class ReceiptVerified {
  @Field(() => [String], {description: 'Ids of the snapshots that were read.'}) readonly snapshots: readonly string[];
  @Field(() => [String], {description: 'Versions that predicted, as model@number.'}) readonly versions: readonly string[];
  @Field(() => String, {description: 'Of the data fields of the answer.'}) readonly sha256: string;
  @Field(() => Int) readonly bytes: number;

  constructor({snapshots, versions, sha256, bytes}: VerifiedReceipt) {
    this.snapshots = snapshots;
    this.versions = versions;
    this.sha256 = sha256;
    this.bytes = bytes;
  }
}

const VerifyReceiptResult = answerUnion('VerifyReceiptResult', [ReceiptVerified, ReceiptDiffers, NotFound]);

@Resolver()
export class SystemResolver {
  @Query(() => System)
  system(@Ctx() {services: {system}}: CoreContext): System {
    return new System(system);
  }

  @Query(() => VerifyReceiptResult, {description: 'Asks the question of a receipt again, of the same snapshots and versions, and compares the answers.'})
  @UseMiddleware(failuresAsAnswers)
  async verifyReceipt(@Arg('receipt', () => String, {description: '`extensions.receipt.token` of an answer.'}) receipt: string, @Ctx() context: CoreContext): Promise<typeof VerifyReceiptResult> {
    return new ReceiptVerified(await context.verifyReceipt(receipt));
  }
}
