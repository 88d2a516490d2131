import {GraphQLBoolean, GraphQLInputObjectType, GraphQLList, GraphQLNonNull, GraphQLString} from 'graphql';
import type {GraphQLInputFieldConfigMap} from 'graphql';
import {scalars} from './scalars.ts';
import type {ScalarName} from './scalars.ts';

/** Operators of text beyond those of every scalar. */
const textOperators: Readonly<Record<string, string>> = {
  _like: '`%` stands for any text, `_` for one character, `\\` takes their meaning away.',
  _nlike: 'Not `_like`.',
  _ilike: '`_like`, upper and lower case alike.',
  _nilike: 'Not `_ilike`.',
  _similar: 'The SQL regular expression matches the whole value.',
  _nsimilar: 'Not `_similar`.',
  _regex: 'The regular expression (RE2) matches somewhere.',
  _nregex: 'Not `_regex`.',
  _iregex: '`_regex`, upper and lower case alike.',
  _niregex: 'Not `_iregex`.',
};

const timeSpan = new GraphQLInputObjectType({
  name: 'time_span',
  description: 'A span of time that begins or ends with the request. Lengths are those of ISO 8601: `P7D`, `PT36H`, `P1Y6M`.',
  isOneOf: true,
  fields: {last: {type: GraphQLString, description: 'That long before the request, up to it.'}, next: {type: GraphQLString, description: 'From the request on, for that long.'}},
});

const isTime = (name: ScalarName): boolean => name === 'date' || name === 'timestamp' || name === 'timestamptz';

function scalarComparison(name: ScalarName): GraphQLInputObjectType {
  const type = scalars[name];
  const many = new GraphQLList(new GraphQLNonNull(type));
  const fields: GraphQLInputFieldConfigMap = {_is_null: {type: GraphQLBoolean}};
  if (name === 'jsonb') {
    fields._contains = {type, description: 'The value contains this one.'};
    fields._contained_in = {type, description: 'This one contains the value.'};
    fields._has_key = {type: GraphQLString, description: 'The object has this member.'};
    for (const [operator, some] of [['_has_keys_any', 'one'], ['_has_keys_all', 'each']] as const) fields[operator] = {type: new GraphQLList(new GraphQLNonNull(GraphQLString)), description: `The object has ${some} of these members.`};
  } else {
    for (const operator of ['_eq', '_neq', '_gt', '_gte', '_lt', '_lte']) fields[operator] = {type};
    for (const operator of ['_in', '_nin']) fields[operator] = {type: many};
  }
  if (isTime(name)) fields._within = {type: timeSpan, description: 'In a span of time around now. Days and times without a zone are taken as UTC.'};
  if (name === 'String') for (const [operator, description] of Object.entries(textOperators)) fields[operator] = {type: GraphQLString, description};
  return new GraphQLInputObjectType({name: `${name}_comparison_exp`, description: `Conditions on a column of type ${name}; all given must hold.`, fields});
}

function arrayComparison(name: ScalarName): GraphQLInputObjectType {
  const list = new GraphQLList(new GraphQLNonNull(scalars[name]));
  return new GraphQLInputObjectType({
    name: `${name}_array_comparison_exp`,
    description: `Conditions on a list of ${name}; all given must hold.`,
    fields: {
      _is_null: {type: GraphQLBoolean},
      _eq: {type: list},
      _neq: {type: list},
      _contains: {type: list, description: 'Every one of these is in the list.'},
      _contained_in: {type: list, description: 'Every element of the list is one of these.'},
      _has: {type: scalars[name], description: 'This is in the list.'},
      _has_any: {type: list, description: 'One of these is in the list.'},
    },
  });
}

const cache = new Map<string, GraphQLInputObjectType>();

/** The comparison input of a scalar or of a list of it: one of each for all datasets and all schemas. */
export function comparisonInput(name: ScalarName, array: boolean): GraphQLInputObjectType {
  const key = `${name}:${array}`;
  const known = cache.get(key);
  if (known) return known;
  const made = array ? arrayComparison(name) : scalarComparison(name);
  cache.set(key, made);
  return made;
}
