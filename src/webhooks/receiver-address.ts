/** Where webhooks may be sent: a server must not be made to reach what only it can reach. */
import {lookup as resolve} from 'node:dns';
import type {LookupAddress, LookupOptions} from 'node:dns';
import {BlockList, isIP} from 'node:net';

/** Addresses that are not of the public internet (IANA's special-purpose registries). */
const special = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24],
  ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) special.addSubnet(net, bits, 'ipv4');
// Of these, addresses of IPv4 are reached as well.
for (const [net, bits] of [['2001::', 23], ['2001:db8::', 32], ['2002::', 16]] as const) special.addSubnet(net, bits, 'ipv6');
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');

/** Whether an address is one of the public internet. */
export function isPublic(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4');
    case 6:
      return global.check(address, 'ipv6') && !special.check(address, 'ipv6');
    default:
      return false;
  }
}

/** The host of a URL, without the brackets of IPv6. */
export const hostOf = ({hostname}: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

/** What is wrong with a receiver, as far as its URL tells; null when nothing is. What its name means is looked at when it is connected to. */
export function urlProblem(text: string, privateHosts: readonly string[]): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol)) return 'the address must begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'the address must not hold a user or a password';
  const host = hostOf(url);
  if (isNamed(host, privateHosts)) return null;
  return host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && !isPublic(host)) ? `${host} is no public address` : null;
}

const isNamed = (host: string, hosts: readonly string[]): boolean => hosts.some(named => named.toLowerCase().replace(/^\[(.*)\]$/, '$1') === host);

type Answer = (error: Error | null, address?: string | LookupAddress[], family?: number) => void;

/**
 * Resolves a host for a connection, which is then made to the very address that was checked. Fails when one of its addresses is
 * private, unless the host is named.
 */
export function publicLookup(privateHosts: readonly string[]) {
  return (host: string, options: LookupOptions, answer: Answer): void => {
    resolve(host, {...options, all: true}, (error, addresses) => {
      if (error) return answer(error);
      const inside = isNamed(host, privateHosts) ? undefined : addresses.find(({address}) => !isPublic(address));
      if (inside) return answer(new Error(`${host} is ${inside.address}, which is no public address`));
      if (options.all) answer(null, addresses);
      else answer(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}
