import { readFileSync } from 'node:fs';
import { Agent, setGlobalProxyFromEnv } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { reasonOf } from '../terminal/reason-of.ts';

const LOOPBACK = 'localhost,127.0.0.1,::1';

/**
 * Makes `fetch` use the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name (lower case too), as the CDK CLI does, and
 * trust the certificates in AWS_CA_BUNDLE. Requests to this machine never go through a proxy, those of child processes
 * included.
 *
 * @throws Error when one of these variables cannot be used.
 */
export function useProxy(env: NodeJS.ProcessEnv = process.env): void {
  const given = env['no_proxy'] || env['NO_PROXY'];
  // Node reads the lower-case one first. `*` means every host only when it stands alone.
  const excluded = given === '*' ? given : [given, LOOPBACK].filter(Boolean).join();
  Object.assign(env, { NO_PROXY: excluded, no_proxy: excluded });
  try {
    setGlobalProxyFromEnv(env);
  } catch {
    // Without the cause, which repeats the URL: it may have a password.
    const names = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'].filter((name) => env[name]);
    throw new Error(`${names.join(' and ')}: expected a URL such as http://proxy.example:3128.`);
  }
  const bundle = env['AWS_CA_BUNDLE'];
  if (bundle) setDefaultCACertificates([...getCACertificates('default'), readBundle(bundle)]);
}

function readBundle(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`AWS_CA_BUNDLE names a file that cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** Agents for AWS clients, which have agents of their own and so ignore what `useProxy` sets. */
export function proxyAgents(env: NodeJS.ProcessEnv = process.env) {
  const options = { keepAlive: true, proxyEnv: env };
  return { httpAgent: new Agent(options), httpsAgent: new HttpsAgent(options) };
}
