import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Gives the tests, and the processes they start, a temporary folder, which is deleted after the last test, and disables
 * proxies for servers on this machine.
 */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'vss-webhook-test-'));
  process.env['TMPDIR'] = folder;
  process.env['NO_PROXY'] = [process.env['NO_PROXY'], '127.0.0.1', 'localhost'].filter(Boolean).join();
  return () => rmSync(folder, { recursive: true, force: true });
}
