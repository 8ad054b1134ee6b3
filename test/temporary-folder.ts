import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives the tests, and every process they start, a temporary folder that is removed after the last test. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'vss-webhook-test-'));
  process.env['TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
