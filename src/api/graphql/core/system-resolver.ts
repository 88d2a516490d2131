import {Arg, Ctx, Field, Int, ObjectType, Query, Resolver, UseMiddleware} from 'type-graphql';
import type {VerifiedReceipt} from '../receipt.ts';
import type {CoreContext} from './context.ts';
import {NotFound, ReceiptDiffers, answerUnion, failuresAsAnswers} from './failures.ts';
import type {SystemFacts} from '../services.ts';

@ObjectType({description: 'What runs SQL.'})
export class EngineInfo {
  @Field(() => String) readonly name: string;
  @Field(() => Boolean, {description: 'In the process of the server.'}) readonly embedded: boolean;
  @Field(() => Boolean, {description: 'Several processes share the work of one statement.'}) readonly distributed: boolean;

  constructor(name: string, embedded: boolean, distributed: boolean) {
    this.name = name;
    this.embedded = embedded;
    this.distributed = distributed;
  }
}

@ObjectType({description: 'This installation.'})
export class System {
  @Field(() => String) readonly version: string;
  @Field(() => String, {description: 'pglite or postgresql.'}) readonly catalog: string;
  @Field(() => String, {description: 'Whatever changes results: engine and runtime with their versions.'}) readonly fingerprint: string;
  @Field(() => [EngineInfo]) readonly engines: readonly EngineInfo[];

  constructor({version, catalog, fingerprint}: SystemFacts, engines: readonly EngineInfo[]) {
    this.version = version;
    this.catalog = catalog;
    this.fingerprint = fingerprint;
    this.engines = engines;
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
  system(@Ctx() {services: {system, engine}}: CoreContext): System {
    const {embedded, distributed} = engine.capabilities;
    return new System(system, [new EngineInfo(engine.name, embedded, distributed)]);
  }

  @Query(() => VerifyReceiptResult, {description: 'Asks the question of a receipt again, of the same snapshots and versions, and compares the answers.'})
  @UseMiddleware(failuresAsAnswers)
  async verifyReceipt(@Arg('receipt', () => String, {description: '`extensions.receipt.token` of an answer.'}) receipt: string, @Ctx() context: CoreContext): Promise<typeof VerifyReceiptResult> {
    return new ReceiptVerified(await context.verifyReceipt(receipt));
  }
}
