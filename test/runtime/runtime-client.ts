import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Version 4 supports the changes of Node 24 in Lambda. Version 3 is for Node 16 to 20. */
const NAME = 'aws-lambda-ric';
const VERSION = '4.0.2';

/** Building takes about a minute on two cores. */
const BUILD_MS = 600_000;

const folder = fileURLToPath(new URL(`../../node_modules/.cache/${NAME}-${VERSION}`, import.meta.url));
const installed = join(folder, 'node_modules', NAME);

/**
 * Returns the path of AWS's own runtime interface client, which requests events, loads the handler and calls it in a
 * container image. The first call builds and caches it. It is not a dependency of the project, because its installation
 * compiles C and C++.
 *
 * @see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
 * @throws Error with the output of npm, and the requirements for building it.
 */
export async function runtimeClient(progress: (text: string) => void): Promise<string> {
  const addon = join(installed, 'rapid-client.node');
  if (!existsSync(addon)) {
    progress(`Building ${NAME} ${VERSION} in node_modules/.cache, only this first time (about a minute)`);
    await build();
    if (!existsSync(addon)) {
      throw new Error(
        `npm installed ${NAME} without its native addon. It is built only on Linux, and only if npm's ignore-scripts is off.`,
      );
    }
  }
  return join(installed, 'index.mjs');
}

async function build(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const manifest = { private: true, dependencies: { [NAME]: VERSION }, allowScripts: { [NAME]: true } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  try {
    await promisify(execFile)('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund'], {
      cwd: folder,
      env: { ...headers(), ...process.env },
      maxBuffer: Number.POSITIVE_INFINITY,
      timeout: BUILD_MS,
    });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(
      `${output.trim()}\n${NAME} could not be installed. npm compiles it, which needs a C++ compiler, make, CMake, xz ` +
        'and Python. On Debian: apt-get install -y g++ make cmake xz-utils python3',
      { cause: error },
    );
  }
}

/**
 * Points node-gyp at the headers of a Node on the path, which it would otherwise download. They may be from another
 * Node version than the one that loads the addon, because the addon uses only Node-API.
 */
function headers(): NodeJS.ProcessEnv {
  const prefixes = (process.env['PATH'] ?? '').split(delimiter).map((folder) => dirname(folder));
  const prefix = prefixes.find((each) => existsSync(join(each, 'include/node/node_api.h')));
  return prefix === undefined ? {} : { npm_config_nodedir: prefix };
}
