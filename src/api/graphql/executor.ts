import {execute, getOperationAST, getVariableValues, GraphQLError, isInputType, Kind, typeFromAST} from 'graphql';
import type {DocumentNode, ExecutionResult, FieldNode, FragmentDefinitionNode, GraphQLInputType, OperationDefinitionNode} from 'graphql';
import {MillraceError} from '../../core/errors.ts';
import type {QueryLimits} from '../../core/viewer.ts';
import {compileField} from './data/compile.ts';
import type {DataSchema} from './data/data-schema.ts';
import {executeField} from './data/execute.ts';
import type {Variables} from './data/given.ts';
import type {DataContext} from './data/graph-model.ts';
import {compileRowStream} from './data/live/compile-row-stream.ts';
import type {RowStreamPlan} from './data/live/compile-row-stream.ts';
import type {FieldPlan} from './data/plan.ts';
import {DocumentIds, Lru, shapeOfVariables} from './data/plan-cache.ts';
import type {Declared} from './data/plan-cache.ts';
import type {DataRoot, FollowedRoot} from './data/roots.ts';
import {collect} from './data/selection.ts';
import type {Fragments} from './data/selection.ts';
import {introspected, questionOf} from './introspection.ts';
import type {Introspection, Profiles} from './introspection.ts';
import {checkSize, checkValues} from './limits.ts';
import {asGraphQLError} from './located-error.ts';
import {hasWrites, mutate} from './mutate.ts';
import {compileStream} from './streams/compile-stream.ts';
import {JsonText, RawJson} from './stringify.ts';

/** A valid operation of one request. */
export interface OperationRequest {
  /** As parsed and validated; requests that share it share plans. */
  readonly document: DocumentNode;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** What core resolvers get as their context. */
  readonly coreContext: unknown;
  readonly data: DataContext;
}

/** An operation as the executor knows it, apart from the values of variables. */
interface Operation {
  readonly node: OperationDefinitionNode;
  readonly fragments: Fragments;
  readonly declared: readonly Declared[];
  /** A number that is this operation's alone. */
  readonly id: string;
}

interface DataField {
  readonly key: string;
  readonly nodes: readonly FieldNode[];
  /** Whether its type lets it be null alone; else null rises to `data`. */
  readonly nullable: boolean;
  /** Or why it cannot be compiled: as in graphql-js an argument that is refused fails its field, not its request. */
  readonly plan: FieldPlan | GraphQLError;
}

/** What one shape of variables makes of an operation. */
interface OperationPlan {
  readonly keys: readonly string[];
  readonly data: readonly DataField[];
  /** Questions for the schema itself. */
  readonly introspections: readonly {readonly key: string; readonly asked: Introspection}[];
  /** The fields that graphql-js resolves, as a document of their own; null when there are none. */
  readonly core: DocumentNode | null;
}

/**
 * Executes operations whose root fields belong to the core graph (resolved by graphql-js), to the data graph (compiled to one engine query each),
 * or to both. Data answers are `RawJson`, to be written by `stringify`. Of a subscription in the data graph it gives the answer of now.
 */
export class Executor {
  private readonly plans: Lru<OperationPlan>;
  private readonly rowStreams = new Lru<RowStreamPlan>(100);
  private readonly operations = new WeakMap<DocumentNode, Map<string, Operation>>();
  private readonly documents = new DocumentIds();
  private readonly introspected = new Lru<{readonly profiles: Profiles | undefined; readonly text: Promise<string>}>(4);

  constructor(
    readonly graph: DataSchema,
    plans = 1000,
  ) {
    this.plans = new Lru(plans);
  }

  async execute(request: OperationRequest): Promise<ExecutionResult> {
    const operation = this.operation(request.document, request.operationName ?? null);
    if (!operation) return {errors: [new GraphQLError('The document has no such operation.')]};
    const {limits} = request.data.viewer;
    const given = this.coerced(operation, request.variables ?? {}, limits);
    if (given.errors) return {errors: given.errors};
    const variables = given.coerced;
    const mutation = {...operation, variables, graph: this.graph, request};
    if (hasWrites(mutation)) return mutate(mutation);
    let plan: OperationPlan;
    const began = performance.now();
    const {size} = this.plans;
    try {
      plan = this.plan(operation, variables, limits);
      request.data.explanation?.note('plan', {cached: this.plans.size === size, milliseconds: Math.round((performance.now() - began) * 1000) / 1000});
    } catch (error) {
      return {errors: [asGraphQLError(error)]};
    }
    return this.run(plan, request, variables);
  }

  /** A query's single field of rows, compiled to be streamed. @throws GraphQLError, NOT_STREAMABLE and what compiling a field throws */
  compileStream({document, operationName, variables: raw = {}}: Pick<OperationRequest, 'document' | 'operationName' | 'variables'>, limits: QueryLimits, streamed: 'texts' | 'columns'): {readonly plan: FieldPlan; readonly variables: Variables} {
    const operation = this.operation(document, operationName ?? null);
    if (!operation) throw new GraphQLError('The document has no such operation.');
    const variables = this.coerced(operation, raw, limits);
    if (!variables.coerced) throw variables.errors[0]!;
    return {plan: compileStream(operation.node, {graph: this.graph, fragments: operation.fragments, variables: variables.coerced, maxRows: limits.streamRows, streamed}), variables: variables.coerced};
  }

  /** A subscription's stream of rows. @throws GraphQLError and what compiling a field throws */
  compileRowStream({document, operationName, variables: raw = {}}: Pick<OperationRequest, 'document' | 'operationName' | 'variables'>, limits: QueryLimits): {readonly plan: RowStreamPlan; readonly variables: Variables} {
    const operation = this.operation(document, operationName ?? null)!;
    const {coerced: variables, errors} = this.coerced(operation, raw, limits);
    if (!variables) throw errors[0]!;
    const shape = [operation.id, limits.rows, shapeOfVariables(operation.declared, variables)].join(' ');
    let plan = this.rowStreams.get(shape);
    if (!plan) {
      const [[key, nodes]] = [...collect([operation.node.selectionSet], operation.fragments, variables)] as [[string, readonly FieldNode[]]];
      const root = this.graph.roots.subscription.get(nodes[0]!.name.value)!;
      plan = compileRowStream(key, nodes, root, {graph: this.graph, fragments: operation.fragments, variables, maxRows: limits.rows});
      this.rowStreams.set(shape, plan);
    }
    return {plan, variables};
  }

  private coerced({node, fragments}: Operation, variables: Variables, limits: QueryLimits): ReturnType<typeof getVariableValues> {
    try {
      checkValues(node, fragments, variables, limits);
    } catch (error) {
      return {errors: [asGraphQLError(error)]};
    }
    return getVariableValues(this.graph.schema, node.variableDefinitions ?? [], variables, {maxErrors: 20});
  }

  /** @throws QUERY_TOO_DEEP, QUERY_TOO_MANY_CONDITIONS */
  checkValues(document: DocumentNode, operationName: string | null | undefined, variables: Variables, limits: QueryLimits): void {
    const operation = this.operation(document, operationName ?? null);
    if (operation) checkValues(operation.node, operation.fragments, variables, limits);
  }

  /** What a subscription follows in the data graph; null for operations of another kind, and for subscriptions of the core graph. */
  liveRoot(document: DocumentNode, operationName?: string | null, variables: Variables = {}): FollowedRoot | null {
    const operation = this.operation(document, operationName ?? null);
    if (operation?.node.operation !== 'subscription') return null;
    const [nodes] = collect([operation.node.selectionSet], operation.fragments, variables).values();
    return (nodes && this.graph.roots.subscription.get(nodes[0]!.name.value)) ?? null;
  }

  /** How many plans are kept now. */
  get planCount(): number {
    return this.plans.size;
  }

  private operation(document: DocumentNode, name: string | null): Operation | null {
    let known = this.operations.get(document);
    if (!known) this.operations.set(document, (known = new Map()));
    let operation = known.get(name ?? '');
    if (operation) return operation;
    const node = getOperationAST(document, name);
    if (!node) return null;
    const fragments: Record<string, FragmentDefinitionNode> = Object.create(null) as Record<string, FragmentDefinitionNode>;
    for (const definition of document.definitions) if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
    const declared = (node.variableDefinitions ?? []).map(({variable, type}) => ({name: variable.name.value, type: this.inputType(type)}));
    operation = {node, fragments, declared, id: `${this.documents.idOf(document)} ${name ?? ''}`};
    known.set(name ?? '', operation);
    return operation;
  }

  private inputType(node: Parameters<typeof typeFromAST>[1]): GraphQLInputType {
    const type = typeFromAST(this.graph.schema, node as Parameters<typeof typeFromAST>[1] & {kind: Kind.NAMED_TYPE});
    if (!isInputType(type)) throw new MillraceError('GRAPHQL_INVALID', {reason: 'A variable has a type that is no input type.'});
    return type;
  }

  private plan(operation: Operation, variables: Variables, limits: QueryLimits): OperationPlan {
    const key = [operation.id, limits.depth, limits.fields, limits.rows, shapeOfVariables(operation.declared, variables)].join(' ');
    const known = this.plans.get(key);
    if (known) return known;
    checkSize(operation.node, operation.fragments, limits);
    const made = this.compile(operation, variables, limits);
    if (!made.data.some(({plan}) => plan instanceof GraphQLError)) this.plans.set(key, made);
    return made;
  }

  private compile({node, fragments}: Operation, variables: Variables, limits: QueryLimits): OperationPlan {
    const {graph} = this;
    const whole = (): DocumentNode => ({kind: Kind.DOCUMENT, definitions: [node, ...Object.values(fragments)]});
    if (node.operation === 'mutation') return {keys: [], data: [], introspections: [], core: whole()};
    const known = graph.roots[node.operation];
    const roots = collect([node.selectionSet], fragments, variables);
    const data: DataField[] = [];
    const introspections: {key: string; asked: Introspection}[] = [];
    const core: FieldNode[] = [];
    for (const [key, nodes] of roots) {
      const name = nodes[0]!.name.value;
      if (name === '__schema') {
        introspections.push({key, asked: {nodes, fragments, variables, question: questionOf(nodes, fragments, variables)}});
        continue;
      }
      const root = known.get(name);
      if (root) {
        let plan: DataField['plan'];
        try {
          plan = compileField(key, nodes, answered(root), {graph, fragments, variables, maxRows: limits.rows});
        } catch (error) {
          plan = asGraphQLError(error, nodes, key);
        }
        data.push({key, nodes, nullable: root.kind === 'byPk', plan});
      } else core.push(...nodes);
    }
    if (data.length === 0 && introspections.length === 0) return {keys: [...roots.keys()], data, introspections, core: whole()};
    return {keys: [...roots.keys()], data, introspections, core: core.length === 0 ? null : {kind: Kind.DOCUMENT, definitions: [{...node, selectionSet: {kind: Kind.SELECTION_SET, selections: core}}, ...Object.values(fragments)]}};
  }

  /** All of them, no longer together than one answer may be. @throws RESULT_TOO_LARGE */
  private async introspections(plan: OperationPlan, data: DataContext): Promise<string[]> {
    const {bytes} = data.viewer.limits;
    const texts: string[] = [];
    let length = 0;
    for (const {asked} of plan.introspections) {
      const text = await this.introspection(asked, data);
      length += text.length;
      if (length > bytes) throw new MillraceError('RESULT_TOO_LARGE', {limit: bytes, unit: 'bytes'});
      texts.push(text);
    }
    return texts;
  }

  /** Written once for each version of the graph and state of the data. */
  private async introspection(asked: Introspection, data: DataContext): Promise<string> {
    const profiles = await data.profiles?.();
    const {bytes} = data.viewer.limits;
    const question = `${bytes} ${asked.question}`;
    const known = this.introspected.get(question);
    if (known && known.profiles === profiles) return known.text;
    const text = introspected(this.graph.schema, asked, bytes, profiles);
    this.introspected.set(question, {profiles, text});
    return text;
  }

  private async run(plan: OperationPlan, request: OperationRequest, variables: Variables): Promise<ExecutionResult> {
    const resolveCore = async (): Promise<ExecutionResult | null> =>
      plan.core && execute({schema: this.graph.schema, document: plan.core, contextValue: request.coreContext, variableValues: request.variables, operationName: plan.data.length + plan.introspections.length === 0 ? request.operationName : undefined});
    if (plan.data.length === 0 && plan.introspections.length === 0) return (await resolveCore())!;
    const [core, introspections, ...answers] = await Promise.all([
      resolveCore(),
      this.introspections(plan, request.data).catch((error: unknown) => asGraphQLError(error)),
      ...plan.data.map(async ({key, nodes, plan: field}): Promise<RawJson | GraphQLError> => {
        if (field instanceof GraphQLError) return field;
        try {
          return new RawJson(await executeField(field, this.graph, variables, request.data));
        } catch (error) {
          return asGraphQLError(error, nodes, key);
        }
      }),
    ]);
    if (introspections instanceof GraphQLError) return {errors: [introspections], data: null};
    const errors = [...(core?.errors ?? [])];
    const data: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const key of plan.keys) data[key] = core?.data?.[key] ?? null;
    plan.introspections.forEach(({key}, index) => (data[key] = new JsonText(introspections[index]!)));
    let failed = core !== null && !core.data;
    plan.data.forEach(({key, nullable}, index) => {
      const answer = answers[index]!;
      if (answer instanceof RawJson) data[key] = answer;
      else {
        errors.push(answer);
        failed ||= !nullable;
      }
    });
    return {...(errors.length > 0 ? {errors} : {}), data: failed ? null : data};
  }
}

function answered(root: FollowedRoot): DataRoot {
  const {kind, dataset} = root;
  if (kind === 'stream') throw new MillraceError('REQUEST_INVALID', {reason: 'a stream is followed, by a subscription over a WebSocket.'});
  return {kind, dataset};
}
