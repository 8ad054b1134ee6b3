import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();

/**
 * Creates a folder that only this user can read, because exports contain phone numbers. It is removed when the process
 * ends, except by SIGKILL.
 */
export function temporaryFolder(): string {
  if (folders.size === 0) removeOnExit();
  const folder = mkdtempSync(join(tmpdir(), 'vss-webhook-'));
  folders.add(folder);
  return folder;
}

function removeOnExit(): void {
  process.once('exit', () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
}
