import {getNamedType, GraphQLObjectType, GraphQLSchema, isInputObjectType, isObjectType, validateSchema} from 'graphql';
import type {GraphQLError, GraphQLFieldMap, GraphQLNamedType, GraphQLSchemaConfig} from 'graphql';

/** A record of known names whose values are found when they are asked for. */
export function lazyRecord<T>(names: () => Iterable<string>, find: (name: string) => T | undefined): Record<string, T> {
  const has = (name: string | symbol): name is string => typeof name === 'string' && find(name) !== undefined;
  return new Proxy(Object.create(null) as Record<string, T>, {
    get: (_, name) => (typeof name === 'string' ? find(name) : undefined),
    has: (_, name) => has(name),
    ownKeys: () => [...new Set(names())],
    // Whoever lists names does not want the values made; whoever wants a value gets it.
    getOwnPropertyDescriptor: (_, name) => (typeof name === 'string' ? {configurable: true, enumerable: true, writable: true, value: undefined} : undefined),
  });
}

/** An object type with more fields than anybody asks for at once. */
export class LazyObjectType extends GraphQLObjectType {
  constructor(
    base: GraphQLObjectType | {readonly name: string},
    private readonly lazyFields: GraphQLFieldMap<unknown, unknown>,
  ) {
    super({...(base instanceof GraphQLObjectType ? base.toConfig() : base), fields: {}});
  }

  override getFields(): GraphQLFieldMap<unknown, unknown> {
    return this.lazyFields;
  }
}

export interface RootTypes {
  readonly query: GraphQLObjectType;
  readonly mutation: GraphQLObjectType | null;
  readonly subscription: GraphQLObjectType | null;
}

/**
 * A schema of fixed types (the core's), and of others that are found by name. Without this, every change of one dataset would walk all
 * types of all datasets. Who makes one checks its parts.
 */
export class LazySchema extends GraphQLSchema {
  private readonly known: Record<string, GraphQLNamedType>;
  /** One after the other: each dataset's types are made when its turn comes. A name may come twice. */
  readonly typeNames: () => Iterable<string>;

  constructor(
    core: Readonly<GraphQLSchemaConfig>,
    private readonly roots: RootTypes,
    names: () => Iterable<string>,
    find: (name: string) => GraphQLNamedType | undefined,
  ) {
    super(core);
    const fixed = super.getTypeMap();
    const own = new Map<string, GraphQLNamedType>([...Object.entries(fixed), ...Object.values(roots).flatMap(type => (type ? [[type.name, type] as const] : []))]);
    this.typeNames = function* () {
      yield* own.keys();
      yield* names();
    };
    this.known = lazyRecord(this.typeNames, name => own.get(name) ?? find(name));
  }

  override getTypeMap(): Record<string, GraphQLNamedType> {
    return this.known ?? super.getTypeMap();
  }

  override getType(name: string): GraphQLNamedType | undefined {
    return this.known[name];
  }

  override getQueryType(): GraphQLObjectType {
    return this.roots.query;
  }

  override getMutationType(): GraphQLObjectType | null {
    return this.roots.mutation;
  }

  override getSubscriptionType(): GraphQLObjectType | null {
    return this.roots.subscription;
  }
}

/** The types that are reached from `start`, as far as `belongs` says; others are not looked into. */
export function reachable(start: readonly GraphQLNamedType[], belongs: (type: GraphQLNamedType) => boolean): Map<string, GraphQLNamedType> {
  const found = new Map<string, GraphQLNamedType>();
  const open: GraphQLNamedType[] = [...start];
  const reach = (type: Parameters<typeof getNamedType>[0]): void => {
    const named = getNamedType(type)!;
    if (found.has(named.name) || !belongs(named)) return;
    found.set(named.name, named);
    open.push(named);
  };
  for (let type = open.pop(); type; type = open.pop()) {
    if (isObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        reach(field.type);
        for (const {type: argument} of field.args) reach(argument);
      }
    } else if (isInputObjectType(type)) for (const {type: inner} of Object.values(type.getFields())) reach(inner);
  }
  return found;
}

/** What is wrong with some root fields and the types they reach, taken alone. */
export const problemsOf = (roots: RootTypes, types: ReadonlyMap<string, GraphQLNamedType>): readonly GraphQLError[] =>
  validateSchema(new LazySchema({assumeValid: false}, roots, () => types.keys(), name => types.get(name)));

