import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The npm package that contains Amazon's DynamoDB Local. Its other files and its dependencies are not needed. */
const NAME = 'amplify-dynamodb-simulator';
const VERSION = '2.9.30';
const SHA512 = 'xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==';

const FOLDER = fileURLToPath(
  new URL(`../../../node_modules/.cache/dynamodb-local-${VERSION}`, import.meta.url),
);

/**
 * Returns the folder of DynamoDB Local. The first call downloads 56 MB. Safe for concurrent processes.
 *
 * @returns The reason in `missing` if npm cannot download it.
 */
export async function fetchDynamoDbLocal(): Promise<{ folder: string } | { missing: string }> {
  if (existsSync(FOLDER)) return { folder: FOLDER };
  await mkdir(dirname(FOLDER), { recursive: true });
  // Extracted under another name and then renamed, so that an incomplete folder is never used.
  const temporary = await mkdtemp(`${FOLDER}-`);
  try {
    const options = ['--silent', '--prefer-offline', '--fetch-retries=0', '--pack-destination', temporary];
    try {
      await run('npm', ['pack', `${NAME}@${VERSION}`, ...options], { timeout: 60_000 });
    } catch {
      return { missing: `npm could not fetch ${NAME}@${VERSION}` };
    }
    const tarball = join(temporary, `${NAME}-${VERSION}.tgz`);
    const actual = hash('sha512', await readFile(tarball), 'base64');
    if (actual !== SHA512) throw new Error(`${NAME}@${VERSION} has the SHA-512 ${actual}, not ${SHA512}`);
    await run('tar', ['-xzf', tarball, '-C', temporary, 'package/emulator']);
    await rename(join(temporary, 'package', 'emulator'), FOLDER).catch((error) => {
      // Another process may have been first.
      if (!existsSync(FOLDER)) throw error;
    });
    return { folder: FOLDER };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
