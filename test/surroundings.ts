import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What the tests, and every process they start, find around them: a temporary folder, which is removed after the last
 * test, and no proxy before this machine's own servers.
 */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'vss-webhook-test-'));
  process.env['TMPDIR'] = folder;
  process.env['NO_PROXY'] = [process.env['NO_PROXY'], '127.0.0.1', 'localhost'].filter(Boolean).join();
  return () => rmSync(folder, { recursive: true, force: true });
}
