import type { Server } from 'node:http';

/** Makes a server listen on the loopback interface only. Returns its URL. */
export function listenOnLoopback(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Keeps idle connections open. Otherwise a client that reuses one while it is being closed gets ECONNRESET.
    server.keepAliveTimeout = 0;
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://127.0.0.1:${actual}`);
    });
  });
}

/** How long a closing server waits for pending requests. */
const GRACE_MS = 2_000;

/** Closes a server after its pending requests are answered. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
  });
}
