import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';

/**
 * The options with which esbuild bundles a function. `mainFields` reduces the size by a third, and so does `external`.
 * `npm run bench` measures how fast the bundles load.
 */
export function bundleOptions(entry: string) {
  return {
    entryPoints: [fileURLToPath(new URL(`../../functions/${entry}`, import.meta.url))],
    bundle: true,
    platform: 'node',
    target: 'node24',
    // Node 24 has it, though esbuild's table does not say so.
    supported: { using: true },
    format: 'cjs',
    mainFields: ['module', 'main'],
    minify: true,
    external: NEVER_LOADED.filter((module) => !LOADED[entry]?.includes(module)),
    logLevel: 'warning',
  } satisfies BuildOptions;
}

/**
 * Modules that the SDK imports on demand, but never in Lambda: credentials are in the environment, and we call no API
 * with event streams.
 */
const NEVER_LOADED = [
  '@aws-sdk/credential-provider-http',
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-web-identity',
  '@smithy/core/event-streams',
  '@smithy/credential-provider-imds',
];

/** Exceptions, by entry: the S3 client imports this module when it loads. */
const LOADED: Readonly<Record<string, readonly string[]>> = {
  'reconciliation/handler.ts': ['@smithy/core/event-streams'],
};
