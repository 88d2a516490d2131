import {getNullableType, GraphQLError, isInputObjectType, isLeafType, isListType, isNonNullType, Kind} from 'graphql';
import type {FieldNode, GraphQLArgument, GraphQLInputType, ValueNode} from 'graphql';

/** Coerced variable values of a request. */
export type Variables = Readonly<Record<string, unknown>>;

type Path = readonly (string | number)[];

/**
 * A coerced argument value that still knows which variable it came from, so that a plan made with one request's values can bind
 * the next one's: `read(variables)` gives the value that stands in the same place there.
 */
export class Given {
  private readonly parts: ReadonlyMap<string, Given> | readonly Given[] | null;

  private constructor(
    private readonly constant: unknown,
    private readonly path: Path | null,
    parts: ReadonlyMap<string, Given> | readonly Given[] | null,
    /** As coerced when the plan was made. */
    readonly value: unknown,
  ) {
    this.parts = parts;
  }

  static constant(value: unknown): Given {
    return new Given(value, null, null, value);
  }

  static variable(path: Path, value: unknown): Given {
    return new Given(undefined, path, null, value);
  }

  static list(items: readonly Given[]): Given {
    return new Given(undefined, null, items, items.map(item => item.value));
  }

  static object(fields: ReadonlyMap<string, Given>): Given {
    return new Given(undefined, null, fields, Object.fromEntries([...fields].map(([name, field]) => [name, field.value])));
  }

  read(variables: Variables): unknown {
    if (this.path) return this.path.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], variables);
    if (this.parts === null) return this.constant;
    if (Array.isArray(this.parts)) return this.parts.map(part => (part as Given).read(variables));
    return Object.fromEntries([...(this.parts as ReadonlyMap<string, Given>)].map(([name, part]) => [name, part.read(variables)]));
  }

  /** Whether it stands in the document, without a variable. */
  get isConstant(): boolean {
    return this.path === null && this.parts === null;
  }

  /** Equal for two that read the same of all variables. */
  get name(): string {
    if (this.path) return `$${JSON.stringify(this.path)}`;
    if (this.parts === null) return JSON.stringify(this.constant) ?? '';
    if (Array.isArray(this.parts)) return `[${this.parts.map(part => (part as Given).name).join()}]`;
    return `{${[...(this.parts as ReadonlyMap<string, Given>)].map(([key, part]) => `${key}:${part.name}`).join()}}`;
  }

  get isNull(): boolean {
    return this.value === null;
  }

  items(): readonly Given[] {
    if (Array.isArray(this.parts)) return this.parts;
    const list = this.value as readonly unknown[];
    return list.map((value, index) => (this.path ? Given.variable([...this.path, index], value) : Given.constant(value)));
  }

  /** Fields given, in the order of the input type. */
  entries(): readonly (readonly [string, Given])[] {
    if (this.parts !== null) return [...(this.parts as ReadonlyMap<string, Given>)];
    return Object.entries(this.value as object).map(([name, value]) => [name, this.path ? Given.variable([...this.path, name], value) : Given.constant(value)] as const);
  }
}

/** The arguments of a field, by name; those neither given nor defaulted are absent. */
export function givenArguments(args: readonly GraphQLArgument[], node: FieldNode, variables: Variables): ReadonlyMap<string, Given> {
  const result = new Map<string, Given>();
  for (const argument of args) {
    const value = node.arguments?.find(({name}) => name.value === argument.name)?.value;
    const given = value && !isAbsent(value, variables) ? fromNode(argument.type, value, variables) : undefined;
    if (given) result.set(argument.name, given);
    else if (argument.defaultValue !== undefined) result.set(argument.name, Given.constant(argument.defaultValue));
    else if (isNonNullType(argument.type)) throw new GraphQLError(`Argument "${argument.name}" of required type "${argument.type}" was not provided.`, {nodes: node});
  }
  return result;
}

const isAbsent = (node: ValueNode, variables: Variables): boolean => node.kind === Kind.VARIABLE && variables[node.name.value] === undefined;

function fromNode(type: GraphQLInputType, node: ValueNode, variables: Variables): Given {
  if (node.kind === Kind.VARIABLE) {
    const value = variables[node.name.value] ?? null;
    if (value === null && isNonNullType(type)) throw new GraphQLError(`"$${node.name.value}" must not be null here: "${type}" is expected.`, {nodes: node});
    const given = Given.variable([node.name.value], value);
    // A single value stands for a list of one, also from a variable.
    return value !== null && isListType(getNullableType(type)) && !Array.isArray(value) ? Given.list([given]) : given;
  }
  if (node.kind === Kind.NULL) return Given.constant(null);
  const inner = getNullableType(type);
  if (isListType(inner)) {
    const items = node.kind === Kind.LIST ? node.values : [node];
    return Given.list(items.map(item => (isAbsent(item, variables) ? Given.constant(null) : fromNode(inner.ofType, item, variables))));
  }
  if (isInputObjectType(inner) && node.kind === Kind.OBJECT) {
    const fields = new Map<string, Given>();
    for (const field of Object.values(inner.getFields())) {
      const part = node.fields.find(({name}) => name.value === field.name)?.value;
      if (part && !isAbsent(part, variables)) fields.set(field.name, fromNode(field.type, part, variables));
      else if (field.defaultValue !== undefined) fields.set(field.name, Given.constant(field.defaultValue));
    }
    return Given.object(fields);
  }
  if (!isLeafType(inner)) throw new GraphQLError(`Expected "${type}".`, {nodes: node});
  return Given.constant(inner.parseLiteral(node, variables as Record<string, unknown>));
}
