import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { cdkSynth } from './infra/cdk-synth.ts';

/** The cloud assembly of the stage `local`, which `cdk synth` creates once per test run. */
declare module 'vitest' {
  interface ProvidedContext {
    localAssembly: Awaited<ReturnType<typeof cdkSynth>> & { folder: string };
  }
}

export default async function setup({ provide }: TestProject): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vss-webhook-assembly-'));
  provide('localAssembly', { folder, ...(await cdkSynth('local', { output: folder })) });
}
