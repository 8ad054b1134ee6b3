import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { FunctionName } from './events.ts';

const PROCESS = fileURLToPath(new URL('cpu-time-process.ts', import.meta.url));

const Turns = v.pipe(v.string(), v.parseJson(), v.array(v.array(v.number())));

/**
 * Measures the CPU time of each bundle per session, in microseconds, in a number of processes that load all bundles.
 * Returns the times of all turns.
 */
export async function measureCpu(
  name: FunctionName,
  bundles: readonly string[],
  processes: number,
  environment: Readonly<Record<string, string>>,
): Promise<number[][]> {
  const samples: number[][] = [];
  for (let i = 0; i < processes; i++) {
    // Standard output is for the log lines of the functions.
    const child = spawn(process.execPath, [PROCESS, name, ...bundles], {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [output, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    if (code !== 0) throw new Error(`Measuring the CPU time failed: ${output}`);
    samples.push(...v.parse(Turns, output));
  }
  return samples;
}
