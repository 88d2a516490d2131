import {setImmediate as nextTurn} from 'node:timers/promises';
import {__Schema, __Type, getArgumentValues, isLeafType, isListType, isNonNullType, print} from 'graphql';
import type {FieldNode, GraphQLFieldResolver, GraphQLNamedType, GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo, GraphQLSchema} from 'graphql';
import {MillraceError} from '../../core/errors.ts';
import type {SnapshotRecord} from '../../warehouse/warehouse.ts';
import {columnTexts} from './column-texts.ts';
import type {ColumnTexts} from './column-texts.ts';
import type {RowTypeExtensions} from './data/dataset-types.ts';
import type {Variables} from './data/given.ts';
import {LazySchema} from './data/lazy-schema.ts';
import {Lru} from './data/plan-cache.ts';
import {collectBelow} from './data/selection.ts';
import type {Collected, Fragments} from './data/selection.ts';

/** What is known of a dataset's values now, by its name: told in the descriptions of its columns. */
export type Profiles = ReadonlyMap<string, Pick<SnapshotRecord, 'id' | 'profile' | 'rowCount'>>;

/** A question for `__schema`, as a part of an operation. */
export interface Introspection {
  readonly nodes: readonly FieldNode[];
  readonly fragments: Fragments;
  readonly variables: Variables;
  /** Equal for questions that have equal answers of equal schemas. */
  readonly question: string;
}

export const questionOf = (nodes: readonly FieldNode[], fragments: Fragments, variables: Variables): string =>
  JSON.stringify([nodes.map(node => print(node)), Object.values(fragments).map(fragment => print(fragment)), variables]);

/** Milliseconds of work before others have their turn. */
const slice = 8;

/**
 * The texts of types and of root fields, by what was asked of them. They outlive versions of the graph, since most types do: so after a swap only
 * what is new is written. Few questions are kept: all users of one tool ask the same.
 */
const texts = new Lru<WeakMap<object, Text>>(8);

interface Text {
  readonly text: string;
  /** The snapshot whose values it tells of. */
  readonly snapshot: string | undefined;
}

/**
 * The answer to `__schema` as JSON text. What graphql-js resolves, by its own resolvers, but written at once, type by type, without holding up
 * the event loop: a graph of a thousand datasets has a hundred thousand fields.
 * @param most characters of the answer
 * @throws RESULT_TOO_LARGE
 */
export async function introspected(schema: GraphQLSchema, asked: Introspection, most: number, profiles?: Profiles): Promise<string> {
  const writer = new Writer(schema, asked, most, profiles);
  return writer.schemaText();
}

class Writer {
  private began = performance.now();
  private readonly info: GraphQLResolveInfo;
  /** Of the row type that is being written. */
  private columns: ColumnTexts | null = null;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly asked: Introspection,
    private readonly most: number,
    private readonly profiles?: Profiles,
  ) {
    this.info = {schema} as GraphQLResolveInfo;
  }

  async schemaText(): Promise<string> {
    const selected = this.below(this.asked.nodes);
    const roots = new Set<object | null | undefined>([this.schema.getQueryType(), this.schema.getMutationType(), this.schema.getSubscriptionType()]);
    return this.object(selected, async (key, nodes) => {
      if (nodes[0]!.name.value !== 'types') return this.field(__Schema, this.schema, nodes);
      const kept = this.kept(key);
      const fields = this.below(nodes);
      // Listing a lazy schema's names makes its types: in slices as well, and before the root types ask for all at once.
      const names = new Set<string>();
      for (const name of this.schema instanceof LazySchema ? this.schema.typeNames() : Object.keys(this.schema.getTypeMap())) {
        names.add(name);
        await this.turn();
      }
      return this.list(names, async name => {
        const type = this.schema.getType(name)!;
        if (roots.has(type)) return this.rootType(type, fields, key);
        const snapshot = this.profiles?.get((type.extensions as Partial<RowTypeExtensions>).dataset ?? '');
        return this.remembered(kept, type, () => this.typeText(type, fields, snapshot), snapshot?.id);
      });
    });
  }

  /** A type with some fields of each dataset. */
  private rootType(type: object, selected: Collected, path: string): Promise<string> {
    return this.object(selected, async (key, nodes) => {
      if (nodes[0]!.name.value !== 'fields') return this.field(__Type, type, nodes);
      const {resolve} = __Type.getFields().fields!;
      const fields = resolve!(type, this.argumentsOf(__Type, nodes), undefined, this.info) as readonly object[];
      const kept = this.kept(`${path}.${key}`);
      const below = this.below(nodes);
      return this.list(fields, async field => this.remembered(kept, field, () => this.objectNow(fieldType, field, below)));
    });
  }

  private typeText(type: GraphQLNamedType, selected: Collected, snapshot: ReturnType<Profiles['get']>): string {
    this.columns = snapshot ? columnTexts(snapshot.profile, snapshot.rowCount) : null;
    const text = this.objectNow(__Type, type, selected);
    this.columns = null;
    return text;
  }

  private kept(path: string): WeakMap<object, Text> {
    const key = `${path} ${this.asked.question}`;
    let known = texts.get(key);
    if (!known) texts.set(key, (known = new WeakMap()));
    return known;
  }

  private remembered(kept: WeakMap<object, Text>, source: object, write: () => string, snapshot?: string): string {
    const known = kept.get(source);
    if (known && known.snapshot === snapshot) return known.text;
    const text = write();
    kept.set(source, {text, snapshot});
    return text;
  }

  private async object(selected: Collected, value: (key: string, nodes: readonly FieldNode[]) => Promise<string> | string): Promise<string> {
    const parts = new Parts(this.most);
    for (const [key, nodes] of selected) parts.push(`${JSON.stringify(key)}:${await value(key, nodes)}`);
    return `{${parts.join(',')}}`;
  }

  private async list<T>(items: Iterable<T>, value: (item: T) => Promise<string>): Promise<string> {
    const parts = new Parts(this.most);
    for (const item of items) {
      await this.turn();
      parts.push(await value(item));
    }
    return `[${parts.join(',')}]`;
  }

  /** Lets others have theirs, where the slice is used up. */
  private async turn(): Promise<void> {
    if (performance.now() - this.began <= slice) return;
    await nextTurn();
    this.began = performance.now();
  }

  private objectNow(type: GraphQLObjectType, source: unknown, selected: Collected): string {
    const parts: string[] = [];
    for (const [key, nodes] of selected) parts.push(`${JSON.stringify(key)}:${this.field(type, source, nodes)}`);
    return `{${parts.join(',')}}`;
  }

  private field(type: GraphQLObjectType, source: unknown, nodes: readonly FieldNode[]): string {
    const name = nodes[0]!.name.value;
    if (name === '__typename') return JSON.stringify(type.name);
    const field = type.getFields()[name]!;
    const value = field.resolve ? (field.resolve as GraphQLFieldResolver<unknown, unknown>)(source, field.args.length === 0 ? {} : this.argumentsOf(type, nodes), undefined, this.info) : (source as Record<string, unknown>)[name];
    const told = type === fieldType && name === 'description' ? this.columns?.get((source as {name: string}).name) : undefined;
    return this.value(field.type, told === undefined ? value : [value, told].filter(Boolean).join('\n\n'), nodes);
  }

  private value(type: GraphQLOutputType, value: unknown, nodes: readonly FieldNode[]): string {
    if (isNonNullType(type)) return this.value(type.ofType, value, nodes);
    if (value === null || value === undefined) return 'null';
    if (isListType(type)) return `[${[...(value as Iterable<unknown>)].map(item => this.value(type.ofType, item, nodes)).join(',')}]`;
    if (isLeafType(type)) return JSON.stringify(type.serialize(value));
    return this.objectNow(type as GraphQLObjectType, value, this.below(nodes));
  }

  private argumentsOf(type: GraphQLObjectType, [node]: readonly FieldNode[]): Record<string, unknown> {
    return getArgumentValues(type.getFields()[node!.name.value]!, node!, this.asked.variables);
  }

  private readonly collected = new Map<readonly FieldNode[], Collected>();

  private below(nodes: readonly FieldNode[]): Collected {
    let known = this.collected.get(nodes);
    if (!known) this.collected.set(nodes, (known = collectBelow(nodes, this.asked.fragments, this.asked.variables)));
    return known;
  }
}

/** Texts that together are no longer than they may be. */
class Parts {
  private readonly texts: string[] = [];
  private length = 0;

  constructor(private readonly most: number) {}

  push(text: string): void {
    this.length += text.length + 1;
    if (this.length > this.most) throw new MillraceError('RESULT_TOO_LARGE', {limit: this.most, unit: 'bytes'});
    this.texts.push(text);
  }

  join(separator: string): string {
    return this.texts.join(separator);
  }
}

const fieldType = listed(__Type.getFields().fields!.type);

function listed(type: GraphQLOutputType): GraphQLObjectType {
  if (isNonNullType(type) || isListType(type)) return listed(type.ofType);
  return type as GraphQLObjectType;
}

