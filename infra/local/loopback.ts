import type { Server } from 'node:http';

/** Listens on the loopback interface only. Returns the URL. */
export function listenOnLoopback(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // An idle connection stays open: a client that uses it again just when it is closed would have its request reset.
    server.keepAliveTimeout = 0;
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://127.0.0.1:${actual}`);
    });
  });
}

/** How long a server that stops waits for the requests it has begun. */
const GRACE_MS = 2_000;

/** Stops a server once the requests it has begun are answered. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
  });
}
