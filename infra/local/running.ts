import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { StackOutputs } from '../stack-outputs.ts';

const Endpoints = v.object({
  sqs: v.string(),
  dynamodb: v.string(),
  dynamodbStreams: v.string(),
  lambda: v.string(),
  cloudwatch: v.string(),
  secretsManager: v.string(),
  sns: v.string(),
  events: v.string(),
  pipes: v.string(),
  s3: v.string(),
  /** The fake 8x8. */
  fake8x8: v.string(),
});
/** The endpoint of each service of the local stack. */
export type Endpoints = v.InferOutput<typeof Endpoints>;

/** The information that other commands need to reach a running local stack. */
const Running = v.object({
  processId: v.number(),
  outputs: StackOutputs,
  endpoints: Endpoints,
});
export type Running = v.InferOutput<typeof Running>;

/** The default port of the webhook of a local stack. */
export const DEFAULT_PORT = 3000;

const folder = fileURLToPath(new URL('../../cdk.out/', import.meta.url));
const fileOf = (port: number) => `${folder}local-${port}.json`;

/** Announces a running local stack whose webhook listens on this port. */
export function noteRunning(port: number, running: Omit<Running, 'processId'>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(port), JSON.stringify({ processId: process.pid, ...running }));
}

/** Withdraws the announcement. */
export function noteStopped(port: number): void {
  rmSync(fileOf(port), { force: true });
}

/** Finds the running local stack whose webhook listens on this port. */
export function findRunning(port: number): Running | undefined {
  try {
    const running = v.parse(Running, JSON.parse(readFileSync(fileOf(port), 'utf8')));
    return isAlive(running.processId) ? running : undefined;
  } catch {
    return undefined;
  }
}

/** The ports of all running local stacks. */
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
