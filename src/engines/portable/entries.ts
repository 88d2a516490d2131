/**
 * The allow-list: functions of the portable core as data. An entry is a signature and what each engine writes for it; an engine
 * without a text does not have the function.
 *
 * A signature is `name(type, …): type`. Types are those of `typeName`, of which arguments are converted to implicitly, and words:
 * `integer` any signed integer · `number` any number but unsigned ones · `decimal` · `float` both widths · `any` · `T` one type that all arguments of this
 * word are brought to. In the result `T` and the words mean what the first argument of that word was. `…` after the last type: one or more of it.
 * `'text'` instead of a type: this text as a literal; `literal`: any text, as a literal.
 */
import {cast, nameOf} from './casts.ts';
import type {Dialect} from './dialect.ts';
import type {RemoteName} from '../remote-engine.ts';
import {NotPortable} from './expr.ts';
import type {Expr} from './expr.ts';
import {bool, commonType, date, double, float, hugeint, int, isFloat, isInteger, isNumber, sameType, timestamp, timestamptz, untyped, utf8} from './types.ts';
import type {Type} from './types.ts';

export interface Entry {
  readonly is: string;
  /** `$1`, `$2` … are the arguments, `$*` all of them; their types are those of the signature. */
  readonly spark?: Write;
  readonly hive?: Write;
  /** Where the result's type follows from the arguments' in a way of its own. */
  readonly gives?: (types: readonly Type[], args: readonly Expr[]) => Type;
  /** What its writers should know. */
  readonly note?: string;
}

export type Write = string | ((call: Call) => string | Expr);

export interface Call {
  readonly args: readonly Expr[];
  readonly dialect: Dialect;
  /** Where an argument's text goes, from 0. */
  sql(index: number): string;
  /** The value of an argument that is a literal. @throws NotPortable */
  constant(index: number): bigint | string;
}

interface Signature {
  readonly name: string;
  readonly takes: readonly string[];
  /** The last type may come any number of times. */
  readonly variadic: boolean;
  readonly gives: string;
}

export type Table = ReadonlyMap<string, readonly (Entry & {readonly signature: Signature})[]>;

export function tableOf(...lists: readonly (readonly Entry[])[]): Table {
  const table = new Map<string, (Entry & {readonly signature: Signature})[]>();
  for (const entry of lists.flat()) {
    const signature = signatureOf(entry.is);
    const forms = table.get(signature.name) ?? [];
    table.set(signature.name, [...forms, {...entry, signature}]);
  }
  return table;
}

function signatureOf(is: string): Signature {
  const [, name, takes, gives] = /^(\S+?)\((.*)\): (\S+)$/.exec(is)!;
  const types = takes === '' ? [] : takes!.split(', ');
  const variadic = types.at(-1)?.endsWith('…') ?? false;
  return {name: name!, takes: types.map(type => type.replace('…', '')), variadic, gives: gives!};
}

const namedTypes: Readonly<Record<string, Type>> = {
  bool, int8: int(8), int16: int(16), int32: int(32), int64: int(64), hugeint, float32: float, float64: double, utf8, date, timestamp, timestamptz, binary: {kind: 'binary'}, null: untyped,
};
const typeWords: Readonly<Record<string, (type: Type) => boolean>> = {
  integer: isInteger, number: isNumber, decimal: type => type.kind === 'decimal', float: isFloat, any: type => type.kind !== 'interval', list: type => type.kind === 'list',
};

/** The call in the dialect's words; null: no function of the table. @param finish puts the arguments into the text @throws NotPortable */
export function callOf(table: Table, name: string, args: readonly Expr[], dialect: Dialect, finish: (template: string, args: readonly Expr[]) => string = fill): Expr | null {
  const forms = table.get(name);
  if (!forms) return null;
  const fitting = forms.map(form => ({form, fitted: fit(form.signature, args, dialect)})).filter(one => one.fitted !== null);
  // What has to be converted least, as the embedded engine chooses; of several the first.
  const converted = (fitted: readonly Expr[]) => fitted.filter((arg, index) => !sameType(arg.type, args[index]!.type)).length;
  const best = fitting.sort((a, b) => converted(a.fitted!.args) - converted(b.fitted!.args))[0];
  if (best) {
    const {form, fitted} = best as {form: typeof best.form; fitted: NonNullable<typeof best.fitted>};
    const write = form[dialect.engine];
    if (write === undefined) throw new NotPortable('is not in the portable core for this engine');
    const type = form.gives ? form.gives(fitted.args.map(arg => arg.type), fitted.args) : fitted.bound.get(form.signature.gives) ?? namedTypes[form.signature.gives]!;
    const written = typeof write === 'string' ? write : write(callFor(fitted.args, dialect));
    return typeof written === 'string' ? {sql: finish(written, fitted.args), type} : {...written, sql: finish(written.sql, fitted.args)};
  }
  throw new NotPortable(`of (${args.map(arg => nameOf(arg.type)).join(', ')}) is not in the portable core; it has ${forms.map(form => form.is).join(' and ')}`);
}

export const has = (table: Table, name: string, engine: RemoteName): boolean => table.get(name)?.some(form => form[engine] !== undefined) ?? false;

function fit(signature: Signature, args: readonly Expr[], dialect: Dialect): {args: Expr[]; bound: Map<string, Type>} | null {
  const {takes, variadic} = signature;
  if (variadic ? args.length < takes.length : args.length !== takes.length) return null;
  const words = args.map((_, index) => takes[Math.min(index, takes.length - 1)]!);
  const bound = new Map<string, Type>();
  if (words.includes('T')) {
    const common = unified(args.filter((_, index) => words[index] === 'T'));
    if (!common) return null;
    bound.set('T', common);
  }
  const fitted: Expr[] = [];
  for (const [index, arg] of args.entries()) {
    const word = words[index]!;
    const one = fitOne(word, arg, bound, dialect);
    if (!one) return null;
    fitted.push(one);
  }
  return {args: fitted, bound};
}

function fitOne(word: string, arg: Expr, bound: Map<string, Type>, dialect: Dialect): Expr | null {
  if (word.startsWith("'")) return typeof arg.literal === 'string' && arg.literal.toLowerCase() === word.slice(1, -1) ? arg : null;
  if (word === 'literal') return typeof arg.literal === 'string' ? arg : null;
  const accepts = typeWords[word];
  if (accepts) {
    if (!accepts(arg.type)) return null;
    if (!bound.has(word)) bound.set(word, arg.type);
    return arg;
  }
  try {
    return {...cast(arg, bound.get(word) ?? namedTypes[word]!, dialect, 'implicit'), ...(arg.literal === undefined ? {} : {literal: arg.literal})};
  } catch (error) {
    if (error instanceof NotPortable) return null;
    throw error;
  }
}

/** The type that all are brought to; literals take that of the others where they can. */
export function unified(exprs: readonly Expr[]): Type | null {
  let type: Type | null = null;
  const firm = exprs.filter(expr => expr.literal === undefined);
  for (const expr of firm) {
    type = type === null ? expr.type : commonType(type, expr.type);
    if (type === null) return null;
  }
  for (const {literal, type: own} of exprs) {
    if (literal === undefined) continue;
    if (typeof literal === 'string') {
      type = type === null || type.kind === 'null' ? utf8 : type;
    } else if (type === null || type.kind !== 'int' || BigInt.asIntN(type.bits, literal) !== literal) {
      type = type === null ? own : commonType(type, own);
    }
    if (type === null) return null;
  }
  return type ?? untyped;
}

export const fill = (text: string, args: readonly Expr[]): string =>
  text.replace(/\$(\*|[0-9])/g, (_, which: string) => (which === '*' ? args.map(arg => arg.sql).join(', ') : args[Number(which) - 1]!.sql));

const callFor = (args: readonly Expr[], dialect: Dialect): Call => ({
  args,
  dialect,
  sql: index => `$${index + 1}`,
  constant: index => {
    const value = args[index]!.literal;
    if (value === undefined) throw new NotPortable(`needs a literal as its argument ${index + 1}`);
    return value;
  },
});

