// Runs a TypeScript file with Node 24: node infra/node24.js FILE [ARGUMENT...]
// Without FILE it only checks that this is possible. It is JavaScript because an older Node has to run it.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import http from 'node:http';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NODE = 24;
const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));
const installedNode = `${modules}node/bin/node`;
// Earlier versions of Node 24 lack a function that the commands use for proxies.
const isNode24 = Number.parseInt(process.versions.node, 10) >= NODE && 'setGlobalProxyFromEnv' in http;
const [file, ...args] = process.argv.slice(2);

/** @type {string | undefined} */
const problem = findProblem();
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
} else if (file !== undefined && isNode24) {
  await runHere(file);
} else if (file !== undefined) {
  runWithInstalledNode(file);
}

/** Why FILE, or the tools in node_modules when there is no FILE, cannot run; in one line, with the remedy. */
function findProblem() {
  if (!existsSync(modules)) return 'The dependencies are not installed. Run: npm ci';
  if (!existsSync(`${modules}node`)) {
    return 'The development dependencies are not installed: NODE_ENV=production and --omit=dev leave them out. Run: npm ci --include=dev';
  }
  // The tools are started by the first node on the PATH of an npm script, which is the installed one.
  if (isNode24 && file !== undefined) return undefined;
  if (!existsSync(installedNode)) {
    return `Node ${NODE} is not installed: the setting ignore-scripts leaves it out, and this is Node ${process.versions.node}. Run: npm ci --ignore-scripts=false`;
  }
  if (spawnSync(installedNode, ['--version']).status !== 0) {
    return `Node ${NODE} of the npm package "node" does not run on this system: it is for another one, or glibc is missing, as on Alpine Linux. Use a Debian-based image, such as node:${NODE}-slim.`;
  }
  return undefined;
}

/** @param {string} file */
async function runHere(file) {
  // As if FILE had been started directly.
  process.argv.splice(1, 1);
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
function runWithInstalledNode(file) {
  const child = spawn(installedNode, [fileURLToPath(import.meta.url), file, ...args], { stdio: 'inherit' });
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    // So that the shell sees how it ended.
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}
