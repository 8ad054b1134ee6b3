import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as v from 'valibot';

/**
 * A cold start: the CPU time of the main thread until the bundle is loaded and until the first response, in
 * milliseconds, and the lines that the function logged. On an idle machine, the CPU time to load a bundle is the
 * duration; on a busy one, the duration is mostly that of other processes.
 */
const ColdStart = v.object({ load: v.number(), first: v.number(), logged: v.string() });
export type ColdStart = v.InferOutput<typeof ColdStart>;

/** The script of a measured process, which loads only the bundle. */
const LOAD = `
  const before = process.threadCpuUsage();
  const milliseconds = () => {
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  };
  const { handler } = require(process.argv[1]);
  const load = milliseconds();
  handler(JSON.parse(process.argv[2]), { getRemainingTimeInMillis: () => 30_000 }).then(() => {
    process._rawDebug(JSON.stringify({ load, first: milliseconds() }));
    process.exit();
  });
`;

/** Loads a bundle in a new process, and invokes it once. */
export async function startCold(
  bundle: string,
  event: object,
  environment: Readonly<Record<string, string>>,
): Promise<ColdStart> {
  const args = ['-e', LOAD, bundle, JSON.stringify(event)];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env: environment });
  return v.parse(ColdStart, { ...JSON.parse(stderr.trim().split('\n').at(-1) ?? ''), logged: stdout });
}
