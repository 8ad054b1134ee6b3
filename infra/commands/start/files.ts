import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import * as v from 'valibot';
import type { BusEvent } from '../../local/event-bus.ts';
import { Template } from '../../local/template.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import { UsageError } from '../command-line/command.ts';

/** Reads the template of --consumers. @throws UsageError if it is not one. */
export function readConsumers(path: string): Template {
  const text = readFile(path);
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

/** Writes events to a file, one per line. @throws UsageError if the file cannot be written. */
export function eventWriter(path: string | undefined) {
  if (path === undefined) return { write: () => {}, [Symbol.dispose]: () => {} };
  try {
    const file = openSync(path, 'w');
    return {
      write: (event: BusEvent) => void writeSync(file, `${JSON.stringify(event)}\n`),
      [Symbol.dispose]: () => closeSync(file),
    };
  } catch (error) {
    throw new UsageError(`Cannot write the file of --events: ${reasonOf(error)}`);
  }
}
