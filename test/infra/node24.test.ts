import { chmodSync, cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { root, run } from './run.ts';

/** Every command, and the CDK app, starts with Node 24 or prints in one line why it cannot. */

/** Makes Node report an older version, which cannot run TypeScript. */
const NODE_20 = [
  '--import',
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})',
];

const HELLO = `import { argv } from 'node:process';
const words: string[] = argv.slice(2);
console.log('hello', ...words);
process.exitCode = 3;
`;

/** Creates a checkout with these executable files in node_modules. */
function checkout(installed: Record<string, string> | undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'checkout-'));
  mkdirSync(join(folder, 'infra'));
  cpSync(join(root, 'infra/node24.js'), join(folder, 'infra/node24.js'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'infra/hello.ts'), HELLO);
  writeFileSync(join(folder, 'infra/needs-more.ts'), "import 'not-installed';\n");
  if (installed) mkdirSync(join(folder, 'node_modules'));
  for (const [name, content] of Object.entries(installed ?? {})) {
    const file = join(folder, 'node_modules', name);
    mkdirSync(dirname(file), { recursive: true });
    if (content === 'LINK') {
      symlinkSync(process.execPath, file);
      continue;
    }
    writeFileSync(file, content);
    chmodSync(file, 0o755);
  }
  return folder;
}

const COMPLETE = { 'node/package.json': '{}', 'node/bin/node': 'LINK' };
const hello = ['infra/node24.js', 'infra/hello.ts', 'a', '--b'];

it('runs a file with its arguments, and passes its exit code on', async () => {
  expect(await run(hello, { cwd: checkout(COMPLETE) })).toEqual({
    stdout: 'hello a --b\n',
    stderr: '',
    code: 3,
  });
});

it('runs the file with the installed Node 24 when an older Node starts it', async () => {
  expect(await run([...NODE_20, ...hello], { cwd: checkout(COMPLETE) })).toEqual({
    stdout: 'hello a --b\n',
    stderr: '',
    code: 3,
  });
});

it.each([
  ['no dependency is installed', undefined, 'The dependencies are not installed. Run: npm ci'],
  ['development dependencies are omitted', {}, /^The development dependencies .*Run: npm ci --include=dev$/],
  [
    'install scripts did not run',
    { 'node/package.json': '{}' },
    /^Node 24 is not installed: .*20\.20\.2\. Run: npm ci --ignore-scripts=false$/,
  ],
  [
    'the installed Node does not run',
    { 'node/package.json': '{}', 'node/bin/node': '#!/nowhere/ld-linux\n' },
    /^Node 24 from the npm package "node" does not run on this system: it was installed for another platform, or glibc is missing/,
  ],
])('prints one line with the remedy when %s', async (_, installed, message) => {
  const { stdout, stderr, code } = await run([...NODE_20, ...hello], { cwd: checkout(installed) });

  expect([stdout, code]).toEqual(['', 1]);
  expect(stderr.trimEnd()).toMatch(message);
  expect(stderr.trimEnd()).not.toContain('\n');
});

it('names a missing dependency', async () => {
  const { stderr, code } = await run(['infra/node24.js', 'infra/needs-more.ts'], { cwd: checkout(COMPLETE) });

  expect(stderr).toBe("Cannot find package 'not-installed'. Run: npm ci --include=dev\n");
  expect(code).toBe(1);
});

it('checks only that Node 24 can run when it is started without a file', async () => {
  expect((await run(['infra/node24.js'], { cwd: checkout(COMPLETE) })).code).toBe(0);
  expect((await run(['infra/node24.js'], { cwd: checkout({ 'node/package.json': '{}' }) })).code).toBe(1);
});
