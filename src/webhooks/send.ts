import {request as httpRequest} from 'node:http';
import {request as httpsRequest} from 'node:https';
import {publicLookup, urlProblem} from './receiver-address.ts';
import {signedHeaders} from './signature.ts';
import type {ClaimedDelivery} from './webhook.ts';

export interface SendOptions {
  readonly privateHosts: readonly string[];
  readonly timeoutSeconds: number;
  readonly userAgent: string;
}

/** What came of a try; `error` null: it was accepted. `isGone`: the receiver wants no more of it. */
export interface SendOutcome {
  readonly status: number | null;
  readonly error: string | null;
  readonly isGone: boolean;
}

/** Sends a delivery once. Redirects are not followed, and of the answer nothing but its status is read. Never throws. */
export async function send({id, url, secrets, body}: ClaimedDelivery, {privateHosts, timeoutSeconds, userAgent}: SendOptions): Promise<SendOutcome> {
  const problem = urlProblem(url, privateHosts);
  if (problem !== null) return {status: null, error: problem, isGone: false};
  // The time is for all of it: a receiver that sends a byte now and then is slow as well.
  const signal = AbortSignal.timeout(timeoutSeconds * 1_000);
  try {
    const status = await post(new URL(url), body, {
      signal, privateHosts,
      headers: {
        'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), 'user-agent': userAgent,
        ...signedHeaders(secrets, id, Math.floor(Date.now() / 1_000), body),
      },
    });
    const error = status >= 200 && status < 300 ? null : status >= 300 && status < 400 ? `it answered ${status}; redirects are not followed` : `it answered ${status}`;
    return {status, error, isGone: status === 410};
  } catch (error) {
    const {message, code} = error as NodeJS.ErrnoException;
    const reason = signal.aborted ? `it did not answer within ${timeoutSeconds} s` : message || String(code);
    return {status: null, error: reason, isGone: false};
  }
}

interface PostOptions {
  readonly signal: AbortSignal;
  readonly privateHosts: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

function post(url: URL, body: string, {signal, privateHosts, headers}: PostOptions): Promise<number> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = request(url, {method: 'POST', headers, agent: false, lookup: publicLookup(privateHosts) as never, signal}, response => {
      resolve(response.statusCode!);
      response.destroy();
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
