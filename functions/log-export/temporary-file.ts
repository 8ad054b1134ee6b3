import { randomUUID } from 'node:crypto';
import { openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Opens a new file in /tmp. It has no name: Lambda keeps /tmp after a timeout, and this file is deleted with its process. */
export function temporaryFile(): number {
  const path = join(tmpdir(), randomUUID());
  const file = openSync(path, 'wx+');
  unlinkSync(path);
  return file;
}
