import { existsSync } from 'node:fs';
import { env } from 'node:process';
import { type Browser, chromium } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Where Chromium is: CHROMIUM, if that is set. Undefined, where it is not installed. */
export const chromiumPath = env['CHROMIUM'] || PLACES.find((place) => existsSync(place));

/** Starts Chromium, without what it would send by itself. */
export function launchChromium(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(`There is no Chromium at ${PLACES.join(', ')}`);
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
