import { readFileSync } from 'node:fs';
import { Agent, setGlobalProxyFromEnv } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { reasonOf } from '../terminal/reason-of.ts';

const LOOPBACK = 'localhost,127.0.0.1,::1';

/**
 * Makes `fetch` honour HTTPS_PROXY, HTTP_PROXY and NO_PROXY (and their lower-case variants), as the CDK CLI does, and
 * trust the certificates in AWS_CA_BUNDLE. Requests to localhost bypass the proxy, in child processes too.
 *
 * @throws Error if one of these variables is invalid.
 */
export function useProxy(env: NodeJS.ProcessEnv): void {
  const given = env['no_proxy'] || env['NO_PROXY'];
  // Node reads the lower-case variable first. `*` matches every host only if it is the whole value.
  const excluded = given === '*' ? given : [given, LOOPBACK].filter(Boolean).join();
  Object.assign(env, { NO_PROXY: excluded, no_proxy: excluded });
  try {
    setGlobalProxyFromEnv(env);
  } catch {
    // Drops the cause, because its message contains the URL, which may include a password.
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
    throw new Error(`Cannot read the file that AWS_CA_BUNDLE names: ${reasonOf(error)}`, { cause: error });
  }
}

/** Agents for AWS clients. These clients create their own agents by default, which `useProxy` does not affect. */
export function proxyAgents(env: NodeJS.ProcessEnv) {
  const options = { keepAlive: true, proxyEnv: env };
  return { httpAgent: new Agent(options), httpsAgent: new HttpsAgent(options) };
}
