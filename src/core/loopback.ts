import {isIPv4, isIPv6} from 'node:net';

/** Whether a host name or address can only be reached from this machine. Brackets around IPv6 are allowed. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost') return true;
  if (isIPv4(bare)) return bare.startsWith('127.');
  return isIPv6(bare) && new URL(`http://[${bare}]`).hostname === '[::1]';
}
