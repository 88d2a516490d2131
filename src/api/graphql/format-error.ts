import {GraphQLError} from 'graphql';
import type {GraphQLFormattedError} from 'graphql';
import {MillraceError, asMillraceError} from '../../core/errors.ts';
import {logContext} from '../../core/logging.ts';
import type {Logger} from '../../core/logging.ts';

/** Makes what clients see of an error: `extensions` hold code, hint and details of the error table. Defects are logged. */
export function errorFormatter(logger: Logger): (error: unknown) => GraphQLFormattedError {
  return (thrown) => {
    const located = thrown instanceof GraphQLError ? thrown : undefined;
    const {locations, path} = located?.toJSON() ?? {};
    const error = asTableError(thrown);
    if (error.http >= 500) logger.error({err: error, path}, 'an operation failed');
    const shown = error.code === 'INTERNAL' ? new MillraceError('INTERNAL', {reason: `request ${logContext().requestId ?? 'unknown'} failed.`}) : error;
    const {code, message, hint, details} = shown.toJSON();
    return {message, ...(locations && {locations}), ...(path && {path}), extensions: {code, hint, ...(hasDetails(shown) && {details: plain(details)})}};
  };
}

/** What graphql-js says when resolvers broke the schema's promises: that is no fault of the document. */
const brokenPromise = /^(Cannot return null for non-nullable|Expected Iterable|Abstract type|Expected value of type|\w+ cannot represent)/;

/** The error as a row of the table: what was thrown, or what the document did wrong. */
export function asTableError(thrown: unknown): MillraceError {
  let cause: unknown = thrown;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  if (!(cause instanceof GraphQLError)) return asMillraceError(cause);
  const {message, path, extensions} = thrown instanceof GraphQLError ? thrown : cause;
  if (path !== undefined && brokenPromise.test(message)) return new MillraceError('INTERNAL', {reason: message}, {cause});
  return extensions.code === 'BAD_REQUEST' ? new MillraceError('REQUEST_INVALID', {reason: message}, {cause}) : new MillraceError('GRAPHQL_INVALID', {reason: message}, {cause});
}

/** A MillraceError as one that Apollo answers with the status of the table. */
export function asRequestError(error: MillraceError): GraphQLError {
  return new GraphQLError(error.message, {originalError: error, extensions: {http: {status: error.http}}});
}

/** Where a reason is all there is, the message has it already. */
const hasDetails = ({details}: MillraceError): boolean => Object.keys(details).some(key => key !== 'reason');

const plain = (details: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(details).map(([key, value]) => [key, typeof value === 'bigint' ? String(value) : value]));
