import { join } from 'node:path';
import { root, run } from './run.ts';

/** Runs `cdk synth` for a stage. Returns its output and its exit code. */
export function cdkSynth(
  stage: string,
  { output, signal }: { output: string; signal?: AbortSignal },
): ReturnType<typeof run> {
  const cdk = join(root, 'node_modules/aws-cdk/bin/cdk');
  return run([cdk, 'synth', '--quiet', '-c', `stage=${stage}`, '--output', output], { signal });
}
