import {GraphQLError, locatedError} from 'graphql';
import type {FieldNode} from 'graphql';
import {asMillraceError} from '../../core/errors.ts';

/** With the code and the hint of the error table under `extensions`; errors of GraphQL itself stay what they are. */
export function asGraphQLError(error: unknown, nodes?: readonly FieldNode[], key?: string): GraphQLError {
  const path = key === undefined ? undefined : [key];
  if (error instanceof GraphQLError) return locatedError(error, nodes, path);
  const known = asMillraceError(error);
  const {code, hint, details} = known;
  return new GraphQLError(known.message, {nodes, path, originalError: known, extensions: {code, hint, details}});
}
