// Runs a TypeScript file with Node 24: node infra/node24.js FILE [ARGUMENT...]
// Without FILE it only checks that this is possible. It is JavaScript, because an older Node may have to run it.

import { existsSync } from 'node:fs';
import module from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NODE = 24;
const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));
const installedNode = `${modules}node/bin/node`;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
// Releases before 24.5 lack http.setGlobalProxyFromEnv, which the commands need.
const isNode24 = major > NODE || (major === NODE && minor >= 5);
const [file, ...args] = process.argv.slice(2);

/** @type {string | undefined} */
const problem = await findProblem();
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
} else if (file !== undefined && isNode24) {
  await runHere(file);
} else if (file !== undefined) {
  await runWithInstalledNode(file);
}

/** Explains in one line why FILE (without FILE: the tools in node_modules) cannot run, and how to fix it. */
async function findProblem() {
  if (!existsSync(modules)) return 'The dependencies are not installed. Run: npm ci';
  if (!existsSync(`${modules}node`)) {
    return 'The development dependencies are not installed: NODE_ENV=production and --omit=dev exclude them. Run: npm ci --include=dev';
  }
  // npm scripts put node_modules/.bin first on the PATH, so the tools always run on the installed Node.
  if (isNode24 && file !== undefined) return undefined;
  if (!existsSync(installedNode)) {
    return `Node ${NODE} is not installed: npm skips it if ignore-scripts is set. This is Node ${process.versions.node}. Run: npm ci --ignore-scripts=false`;
  }
  const { spawnSync } = await import('node:child_process');
  if (spawnSync(installedNode, ['--version']).status !== 0) {
    return `Node ${NODE} from the npm package "node" does not run on this system: it was installed for another platform, or glibc is missing, as on Alpine Linux. Use a Debian-based image, such as node:${NODE}-slim.`;
  }
  return undefined;
}

/** @param {string} file */
async function runHere(file) {
  // Gives FILE the argv that it would have if it were started directly.
  process.argv.splice(1, 1);
  // Halves the CPU time of a command. Nothing is cached if node_modules belongs to another user.
  module.enableCompileCache(`${modules}.cache/compile`);
  try {
    await import(pathToFileURL(resolve(file)).href);
  } catch (error) {
    const { code, message } = Object(error);
    if (code !== 'ERR_MODULE_NOT_FOUND' || !/^Cannot find package/.test(message)) throw error;
    process.stderr.write(`${message.split(' imported from')[0]}. Run: npm ci --include=dev\n`);
    process.exitCode = 1;
  }
}

/** @param {string} file */
async function runWithInstalledNode(file) {
  const { spawn } = await import('node:child_process');
  const child = spawn(installedNode, [fileURLToPath(import.meta.url), file, ...args], { stdio: 'inherit' });
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    // Ends this process by the same signal, so that the shell reports it.
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}
