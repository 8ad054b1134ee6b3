import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();

/**
 * A folder that only this user can read, for as long as the process runs: what analysts fetch has phone numbers. It is
 * removed however the process ends, except by SIGKILL.
 */
export function temporaryFolder(): string {
  if (folders.size === 0) removeAtTheEnd();
  const folder = mkdtempSync(join(tmpdir(), 'vss-webhook-'));
  folders.add(folder);
  return folder;
}

function removeAtTheEnd(): void {
  process.once('exit', () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
