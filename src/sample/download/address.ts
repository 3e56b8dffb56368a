// Which addresses of the network may be fetched from: public ones. A name is resolved, checked and the
// connection pinned to what was checked, so that no second answer of a name server leads inside.
import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Not public (RFC 6890 and its updates): private, loopback, link-local, shared, test, multicast. */
const BLOCKED_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];
/** Inside of 2000::/3, the public part of IPv6, but test or a wrapping of IPv4. */
const BLOCKED_V6: readonly (readonly [string, number])[] = [
  ['2001:db8::', 32],
  ['2001::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const blocked = new BlockList();
for (const [net, bits] of BLOCKED_V4) blocked.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of BLOCKED_V6) blocked.addSubnet(net, bits, 'ipv6');
const publicV6 = new BlockList();
publicV6.addSubnet('2000::', 3, 'ipv6');

/** Whether an IP address is a public one. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !blocked.check(address, 'ipv4');
  return family === 6 && publicV6.check(address, 'ipv6') && !blocked.check(address, 'ipv6');
}

export class PrivateAddress extends Error {}

/** A resolver for connections that gives out only addresses that pass, or fails. */
export function pinnedLookup(isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '', 4);
      const list = found as LookupAddress[];
      const bad = list.find(({ address }) => !isAllowed(address));
      if (bad !== undefined || list[0] === undefined) {
        return callback(new PrivateAddress(`${hostname} is not a public address`), '', 4);
      }
      if (options.all === true) return callback(null, list, undefined);
      return callback(null, list[0].address, list[0].family);
    });
  };
}

/** Check the host of an address that names an IP itself: no resolver is asked for those. */
export function checkHost(url: URL, isAllowed: (address: string) => boolean): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isAllowed(host))
    throw new PrivateAddress(`${host} is not a public address`);
}
