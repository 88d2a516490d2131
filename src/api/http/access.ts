/** Who may ask, and from where. */
import {createHash, timingSafeEqual} from 'node:crypto';
import type {IncomingHttpHeaders} from 'node:http';
import type {Config} from '../../core/config.ts';
import {MillraceError} from '../../core/errors.ts';
import {isLoopback} from '../../core/loopback.ts';
import type {Viewer} from '../../core/viewer.ts';

/** @throws UNAUTHENTICATED */
export type Viewers = (authorization: string | undefined) => Viewer;

/** Without an admin secret whoever reaches the server is `local`; with one, only who sends it as a bearer token is `admin`. */
export function createViewers(config: Pick<Config, 'api' | 'limits'>): Viewers {
  const {adminSecret, queryTimeoutSeconds} = config.api;
  const viewer = (name: string): Viewer => ({name, roles: ['admin', 'viewer'], limits: {...config.limits, seconds: queryTimeoutSeconds}});
  if (adminSecret === null) {
    const local = viewer('local');
    return () => local;
  }
  // Digests have one length, which timingSafeEqual needs, and hide that of the secret.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(adminSecret);
  const admin = viewer('admin');
  return (authorization) => {
    const token = /^Bearer +(\S.*)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined || !timingSafeEqual(digest(token.trim()), expected)) throw new MillraceError('UNAUTHENTICATED');
    return admin;
  };
}

/** @throws ORIGIN_REFUSED */
export type OriginCheck = (headers: IncomingHttpHeaders) => void;

/**
 * Refuses what a web page of someone else makes a browser send.
 *
 * `Host` must be a name of this server, so that a page whose own name was re-pointed to 127.0.0.1 (DNS rebinding) gets nothing.
 * A server that others can reach has names we cannot know; it has an admin secret, which such a page does not have.
 * `Origin`, where there is one, must be the server's own or a configured one.
 *
 * @param port the port listened on, asked at each check because it may be chosen by the system.
 */
export function createOriginCheck(config: Pick<Config, 'api'>, port: () => number): OriginCheck {
  const configured = new Set(config.api.origins);
  const configuredHosts = new Set(config.api.origins.map((origin) => new URL(origin).host));
  const reachable = !isLoopback(config.api.host);

  const ownHost = (host: string): boolean => {
    const url = parse(`http://${host}`);
    return url !== null && url.host === host.toLowerCase().replace(/:80$/, '') && isLoopback(url.hostname) && Number(url.port || 80) === port();
  };
  const hostAllowed = (host: string) => reachable || ownHost(host) || configuredHosts.has(host.toLowerCase());
  const originAllowed = (origin: string, host: string) => {
    if (configured.has(origin)) return true;
    const url = parse(origin);
    if (url === null || url.origin !== origin) return false;
    // Behind a proxy that ends TLS the page's scheme is https and ours is not: names and ports decide.
    return ownHost(url.host) || (reachable && url.host === host.toLowerCase());
  };

  // Parsing URLs is most of the cost, and few pairs ever pass.
  const passed = new Set<string>();
  return (headers) => {
    const {host = '', origin} = headers;
    const pair = `${host} ${origin}`;
    if (!passed.has(pair)) {
      if (!hostAllowed(host)) throw new MillraceError('ORIGIN_REFUSED', {origin: host});
      if (origin !== undefined && !originAllowed(origin, host)) throw new MillraceError('ORIGIN_REFUSED', {origin});
      if (passed.size < 100) passed.add(pair);
    }
    const site = headers['sec-fetch-site'];
    // A link to us may be followed; anything else that another site starts without an Origin (an image, a script) may not.
    if (origin === undefined && (site === 'cross-site' || site === 'same-site') && headers['sec-fetch-mode'] !== 'navigate') {
      throw new MillraceError('ORIGIN_REFUSED', {origin: `a page of ${site === 'same-site' ? 'the same' : 'another'} site`});
    }
  };
}

function parse(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null;
}
