import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Its version 4 knows what Node 24 changed in Lambda; version 3 was written for Node 16 to 20. */
const NAME = 'aws-lambda-ric';
const VERSION = '4.0.2';

/** A minute, on two cores; not more than this. */
const BUILD_MS = 600_000;

const folder = fileURLToPath(new URL(`../../node_modules/.cache/${NAME}-${VERSION}`, import.meta.url));
const installed = join(folder, 'node_modules', NAME);

/**
 * The path of AWS's own runtime interface client: what asks for events, loads the handler and calls it in a container
 * image. It is no dependency of the project, because npm compiles C and C++ to install it; so it is built when this
 * is first called, and kept.
 *
 * @see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
 * @throws Error with what npm said, and what building it takes.
 */
export async function runtimeClient(progress: (text: string) => void): Promise<string> {
  const addon = join(installed, 'rapid-client.node');
  if (!existsSync(addon)) {
    progress(`Building ${NAME} ${VERSION} in node_modules/.cache, this first time: about a minute`);
    await build();
    if (!existsSync(addon)) {
      throw new Error(
        `npm installed ${NAME} without its addon, which is built on Linux only, and not with ignore-scripts.`,
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
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(
      `${said.trim()}\n${NAME} could not be installed. npm compiles it, which takes a C++ compiler, make, CMake, xz and ` +
        'Python; on Debian: apt-get install -y g++ make cmake xz-utils python3',
      { cause: error },
    );
  }
}

/**
 * Where node-gyp finds the headers of Node, which it would otherwise download: with a Node on the path. That need not
 * be the one that loads the addon, which uses Node-API alone.
 */
function headers(): NodeJS.ProcessEnv {
  const prefixes = (process.env['PATH'] ?? '').split(delimiter).map((folder) => dirname(folder));
  const prefix = prefixes.find((each) => existsSync(join(each, 'include/node/node_api.h')));
  return prefix === undefined ? {} : { npm_config_nodedir: prefix };
}
