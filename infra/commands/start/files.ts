import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import * as v from 'valibot';
import type { BusEvent } from '../../local/event-bus.ts';
import { Template } from '../../local/template.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import { UsageError } from '../command-line/command.ts';

/** Reads the template of --consumers, if it is given. @throws UsageError if it is not one. */
export function readConsumers(path: string | undefined, cwd: string): Template | undefined {
  if (path === undefined) return undefined;
  const text = readFile(resolve(cwd, path));
  try {
    return v.parse(Template, JSON.parse(text));
  } catch (error) {
    throw new UsageError(
      `The file of --consumers is not a CloudFormation template in JSON: ${reasonOf(error)}`,
    );
  }
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`Cannot read the file of --consumers: ${reasonOf(error)}`);
  }
}

/** Writes events to a file, one per line. */
export interface EventWriter extends Disposable {
  write(event: BusEvent): void;
}

/** Opens the file of --events; undefined without one. @throws UsageError if the file cannot be written. */
export function eventWriter(path: string | undefined, cwd: string): EventWriter | undefined {
  if (path === undefined) return undefined;
  try {
    const file = openSync(resolve(cwd, path), 'w');
    return {
      write: (event: BusEvent) => void writeSync(file, `${JSON.stringify(event)}\n`),
      [Symbol.dispose]: () => closeSync(file),
    };
  } catch (error) {
    throw new UsageError(`Cannot write the file of --events: ${reasonOf(error)}`);
  }
}
