import {Arg, Ctx, Field, Int, ObjectType, Query, Resolver, createUnionType} from 'type-graphql';
import {MillraceError} from '../../../core/errors.ts';
import type {LineageEdge as EdgeRecord, LineageNode as NodeRecord} from '../../../warehouse/warehouse.ts';
import type {CoreContext} from './context.ts';
import {RawFile, Snapshot} from './dataset.ts';
import {EdgeKindEnum} from './enums.ts';
import {LineageRefInput} from './inputs.ts';
import {ModelVersion} from './model.ts';
import {Run} from './pipeline.ts';
import {verifyCommand} from './verify-command.ts';

type Node = RawFile | Snapshot | Run | ModelVersion;

const LineageNode = createUnionType({name: 'LineageNode', types: () => [RawFile, Snapshot, Run, ModelVersion] as const});

/** Snapshots, runs and versions go by their own ids, which never meet. */
const shownId = (id: string): string => id.replace(/^(snapshot|run|model_version):/, '');

@ObjectType({description: 'In the direction the data flows.'})
export class LineageEdge {
  @Field(() => String, {name: 'from', description: 'The `id` of a node.'}) readonly source: string;
  @Field(() => String) readonly to: string;
  @Field(() => EdgeKindEnum) readonly kind: EdgeRecord['kind'];
  @Field(() => [String], {description: '`output = dataset.column`, as far as it is known.'}) readonly columns: readonly string[];

  constructor({from, to, kind, columns}: EdgeRecord) {
    this.source = shownId(from);
    this.to = shownId(to);
    this.kind = kind;
    this.columns = columns;
  }
}

@ObjectType({description: 'What something came from.'})
export class LineageGraph {
  @Field(() => [LineageNode]) readonly nodes: readonly Node[];
  @Field(() => [LineageEdge]) readonly edges: readonly LineageEdge[];
  @Field(() => String, {description: 'A command that checks that what it came from is still as it was; run it in the project folder.'}) readonly verifyCommand: string;

  constructor(nodes: readonly Node[], edges: readonly LineageEdge[], command: string) {
    this.nodes = nodes;
    this.edges = edges;
    this.verifyCommand = command;
  }
}

const deepest = 100;

@Resolver()
export class LineageResolver {
  @Query(() => LineageGraph, {description: 'Walks from something to all it came from: snapshots, runs, raw files, model versions.'})
  async lineage(
    @Arg('of', () => LineageRefInput) of: LineageRefInput,
    @Arg('depth', () => Int, {defaultValue: 10}) depth: number,
    @Ctx() {services, viewer, loaders}: CoreContext,
  ): Promise<LineageGraph> {
    if (depth < 0 || depth > deepest) throw new MillraceError('ARGUMENT_INVALID', {name: 'depth', reason: `it must be from 0 to ${deepest}.`});
    const {snapshot, column, modelVersion} = of;
    const graph = await services.lineage.of(viewer, {snapshot: snapshot ?? undefined, column: column ?? undefined, modelVersion: modelVersion ?? undefined}, depth);
    const load = async (node: NodeRecord): Promise<Node | null> => {
      switch (node.kind) {
        case 'raw_file':
          return new RawFile({name: node.path, sha256: node.sha256, bytes: node.bytes});
        case 'snapshot':
          return new Snapshot(node.snapshot);
        case 'run': {
          const run = await loaders.runs.load(node.runId);
          return run ? new Run(run) : null;
        }
        case 'model_version': {
          const version = await loaders.versionsById.load(node.versionId);
          return version ? new ModelVersion(version) : null;
        }
      }
    };
    const nodes = (await Promise.all(graph.nodes.map(load))).filter(node => node !== null);
    const files = graph.nodes.filter(node => node.kind === 'raw_file');
    return new LineageGraph(nodes, graph.edges.map(edge => new LineageEdge(edge)), verifyCommand(files));
  }
}
