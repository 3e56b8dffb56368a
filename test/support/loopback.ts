// A server of a test on this machine alone: started on a free port, and ended with its connections.
import assert from 'node:assert/strict';
import type { Server } from 'node:http';

/** @returns its address, without a path. */
export async function startLoopback(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

export async function stopLoopback(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
