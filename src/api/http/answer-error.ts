import type {FastifyError, FastifyReply, FastifyRequest} from 'fastify';
import {MillraceError, asMillraceError} from '../../core/errors.ts';
import type {Logger} from '../../core/logging.ts';

/** What a plain HTTP answer to a failed request holds. */
export interface ErrorBody {
  readonly error: {readonly code: string; readonly message: string; readonly hint: string};
}

export function errorBody({code, message, hint}: MillraceError): ErrorBody {
  return {error: {code, message, hint}};
}

/** Makes Fastify's error handler: everything thrown becomes a row of the error table; defects are logged. */
export function errorHandler(logger: Logger, maxBodyBytes: number) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const error = fromFastify(thrown as FastifyError, maxBodyBytes);
    if (error.http >= 500) logger.error({err: error, method: request.method, route: request.routeOptions?.url}, 'a request failed');
    if (error.http === 401) reply.header('www-authenticate', 'Bearer');
    // An error may come after a handler chose another type.
    reply.code(error.http).header('content-type', 'application/json; charset=utf-8').send(errorBody(error));
  };
}

function fromFastify(error: FastifyError, limit: number): MillraceError {
  if (error instanceof MillraceError) return error;
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new MillraceError('BODY_TOO_LARGE', {limit});
  if (error.statusCode === 503) return new MillraceError('SHUTTING_DOWN');
  if (error.statusCode !== undefined && error.statusCode < 500) return new MillraceError('REQUEST_INVALID', {reason: error.message}, {cause: error});
  return asMillraceError(error);
}
