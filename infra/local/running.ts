import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { StackOutputs } from '../stack-outputs.ts';

const Endpoints = v.object({
  sqs: v.string(),
  dynamodb: v.string(),
  lambda: v.string(),
  cloudwatch: v.string(),
  secretsManager: v.string(),
  sns: v.string(),
  /** The stand-in for 8x8. */
  fake8x8: v.string(),
});
/** Where each service of the local stack listens. */
export type Endpoints = v.InferOutput<typeof Endpoints>;

/** What others need to reach the local stack while it runs. */
const Running = v.object({
  processId: v.number(),
  outputs: StackOutputs,
  endpoints: Endpoints,
});
export type Running = v.InferOutput<typeof Running>;

/** Where a local stack's webhook listens unless another port is chosen. */
export const DEFAULT_PORT = 3000;

const folder = fileURLToPath(new URL('../../cdk.out/', import.meta.url));
const fileOf = (port: number) => `${folder}local-${port}.json`;

/** Notes that a local stack runs whose webhook listens on this port. */
export function noteRunning(port: number, running: Omit<Running, 'processId'>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(port), JSON.stringify({ processId: process.pid, ...running }));
}

/** Takes the note back. */
export function noteStopped(port: number): void {
  rmSync(fileOf(port), { force: true });
}

/** The local stack whose webhook listens on this port, if it runs. */
export function findRunning(port: number): Running | undefined {
  try {
    const running = v.parse(Running, JSON.parse(readFileSync(fileOf(port), 'utf8')));
    return isAlive(running.processId) ? running : undefined;
  } catch {
    return undefined;
  }
}

/** The ports of the local stacks that run. */
export function runningPorts(): number[] {
  return notes()
    .flatMap((name) => /^local-(\d+)\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((port) => findRunning(port) !== undefined);
}

function notes(): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}
