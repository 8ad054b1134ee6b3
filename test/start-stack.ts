import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalStack, type LocalStackOptions, startLocalStack } from '../infra/local/local-stack.ts';
import { localAssembly } from './local-assembly.ts';

interface Options extends Omit<Partial<LocalStackOptions>, 'settings'> {
  /** Changes the template (JSON), as other settings would. Synthesizing one takes as much CPU as starting two stacks. */
  edit?: (template: string) => string;
}

/** Starts the local stack on a free port, from the cloud assembly that all tests share. */
export async function startStack({ edit, ...options }: Options = {}): Promise<LocalStack> {
  const { folder } = await localAssembly();
  const assembly = edit ? edited(folder, edit) : folder;
  return startLocalStack({ port: 0, log: () => {}, assembly, ...options });
}

/** A copy of a cloud assembly with another template. */
function edited(assembly: string, edit: (template: string) => string): string {
  const folder = mkdtempSync(join(tmpdir(), 'vss-webhook-assembly-'));
  cpSync(assembly, folder, { recursive: true });
  const path = join(folder, 'vss-webhook-local.template.json');
  const before = readFileSync(path, 'utf8');
  const after = edit(before);
  if (after === before) throw new Error('The template was not changed');
  writeFileSync(path, after);
  return folder;
}
