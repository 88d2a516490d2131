import {isAbsolute} from 'node:path';
import {Arg, Ctx, Field, Int, Mutation, ObjectType, Query, Resolver, UseMiddleware} from 'type-graphql';
import {MillraceError} from '../../../core/errors.ts';
import {onlyAdmin} from '../../../core/viewer.ts';
import type {BackupSummary, Finding as FindingRecord} from '../../../maintenance/maintenance.ts';
import type {CoreContext} from './context.ts';
import {FindingStatusEnum} from './enums.ts';
import {answerUnion, failuresAsAnswers} from './failures.ts';
import {Garbage} from './garbage.ts';
import {BigIntScalar} from './scalars.ts';

@ObjectType({description: 'One thing that was looked at.'})
export class Finding {
  @Field(() => String) readonly check: string;
  @Field(() => FindingStatusEnum) readonly status: FindingRecord['status'];
  @Field(() => String) readonly detail: string;
  @Field(() => String, {nullable: true, description: 'What to do, unless it is ok.'}) readonly hint: string | null;

  constructor({check, status, detail, hint}: FindingRecord) {
    this.check = check;
    this.status = status;
    this.detail = detail;
    this.hint = hint;
  }
}

@ObjectType({description: 'A complete backup: the catalog as of one moment and every file it names.'})
export class BackupMade {
  @Field(() => String) readonly folder: string;
  @Field(() => Int) readonly files: number;
  @Field(() => BigIntScalar) readonly bytes: bigint;
  @Field(() => Int) readonly datasets: number;
  @Field(() => Int) readonly snapshots: number;

  constructor({folder, files, bytes, datasets, snapshots}: BackupSummary) {
    this.folder = folder;
    this.files = files;
    this.bytes = BigInt(bytes);
    this.datasets = datasets;
    this.snapshots = snapshots;
  }
}

const GarbageResult = answerUnion('CollectGarbageResult', [Garbage]);

const BackupResult = answerUnion('BackupResult', [BackupMade]);

@Resolver()
export class MaintenanceResolver {
  @Query(() => [Finding], {description: 'Checks the catalog, the files and their checksums.'})
  async doctor(
    @Ctx() {services, viewer}: CoreContext,
    @Arg('deep', () => Boolean, {defaultValue: false, description: 'Every snapshot, not only the newest of each dataset.'}) deep: boolean,
  ): Promise<Finding[]> {
    onlyAdmin(viewer);
    return (await services.maintenance.doctor({deep})).map(finding => new Finding(finding));
  }

  @Query(() => Garbage, {description: 'What a collection of garbage would remove now, and what keeps the rest.'})
  async garbage(@Ctx() {services, viewer}: CoreContext): Promise<Garbage> {
    onlyAdmin(viewer);
    return new Garbage(await services.maintenance.planGarbage());
  }

  @Mutation(() => GarbageResult, {description: "Expires what the datasets' retention lets go of, and removes the files that are due."})
  @UseMiddleware(failuresAsAnswers)
  async collectGarbage(@Ctx() {services, viewer}: CoreContext): Promise<typeof GarbageResult> {
    onlyAdmin(viewer);
    return new Garbage(await services.maintenance.collectGarbage());
  }

  @Mutation(() => BackupResult, {description: "Copies everything into an empty or new folder of the server's machine, while runs commit."})
  @UseMiddleware(failuresAsAnswers)
  async backup(@Arg('folder', () => String, {description: 'An absolute path.'}) folder: string, @Ctx() {services, viewer}: CoreContext): Promise<typeof BackupResult> {
    onlyAdmin(viewer);
    if (!isAbsolute(folder)) throw new MillraceError('ARGUMENT_INVALID', {name: 'folder', reason: 'it must be an absolute path.'});
    return new BackupMade(await services.maintenance.backup(folder));
  }
}
