import {createHmac, randomBytes} from 'node:crypto';

const prefix = 'whsec_';

/** A secret as Standard Webhooks writes them: `whsec_` and 32 random bytes in base64. */
export const newSecret = (): string => prefix + randomBytes(32).toString('base64');

/** What is wrong with a secret, or null. */
export function secretProblem(secret: string): string | null {
  const encoded = secret.slice(prefix.length);
  const key = Buffer.from(encoded, 'base64');
  if (!secret.startsWith(prefix) || key.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) return `a secret is '${prefix}' and bytes in base64`;
  return key.length < 24 || key.length > 64 ? 'a secret has 24 to 64 bytes' : null;
}

/**
 * The headers of a message by the convention of Standard Webhooks: HMAC-SHA256 of `<id>.<timestamp>.<body>`, in base64 after `v1,`; one
 * by each secret, with a space between.
 * @param seconds since 1970, when it is sent: receivers refuse what is too old
 */
export function signedHeaders(secrets: readonly string[], id: string, seconds: number, body: string): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const signatures = secrets.map(secret => `v1,${createHmac('sha256', Buffer.from(secret.slice(prefix.length), 'base64')).update(`${id}.${seconds}.${body}`).digest('base64')}`);
  return {'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signatures.join(' ')};
}
