import { existsSync } from 'node:fs';
import { env } from 'node:process';
import { type Browser, chromium } from 'playwright-core';

const PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The path of Chromium; CHROMIUM overrides it. Undefined if Chromium is not installed. */
export const chromiumPath = env['CHROMIUM'] || PATHS.find((path) => existsSync(path));

/** Starts Chromium without background network requests. */
export function launchChromium(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(`Chromium not found at ${PATHS.join(', ')}`);
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--headless',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
