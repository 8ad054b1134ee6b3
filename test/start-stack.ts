import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalStack, type LocalStackOptions, startLocalStack } from '../infra/local/local-stack.ts';
import { localAssembly } from './local-assembly.ts';

interface AssemblyOptions {
  /** Changes the template (JSON), as other settings would. Synthesizing one takes as much CPU as starting two stacks. */
  edit?: (template: string) => string;
  /** Whether functions are invoked on their schedules. Three start immediately, each in a process. Default: false. */
  schedules?: boolean;
}

interface Options extends AssemblyOptions, Omit<Partial<LocalStackOptions>, 'settings'> {}

/** Starts the local stack on a free port, from the cloud assembly that all tests share. */
export async function startStack(options: Options = {}): Promise<LocalStack> {
  return startLocalStack({ port: 0, log: () => {}, assembly: await assemblyWith(options), ...options });
}

/** The folder of the cloud assembly that all tests share, with changes. */
export async function assemblyWith({ edit, schedules = false }: AssemblyOptions = {}): Promise<string> {
  const { folder } = await localAssembly();
  const edits = [...(schedules ? [] : [withoutSchedules]), ...(edit ? [edit] : [])];
  return edits.reduce(edited, folder);
}

function withoutSchedules(template: string): string {
  const { Resources, ...others } = JSON.parse(template);
  const kept = Object.entries<{ Type: string }>(Resources).filter(
    ([, { Type }]) => Type !== 'AWS::Scheduler::Schedule',
  );
  return JSON.stringify({ ...others, Resources: Object.fromEntries(kept) });
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
