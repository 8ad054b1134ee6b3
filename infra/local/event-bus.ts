import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import * as v from 'valibot';
import { type EventPattern, matchesPattern } from './event-pattern.ts';
import { ACCOUNT, REGION } from './template.ts';

/** An event as EventBridge delivers it. */
export interface BusEvent {
  version: '0';
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  /** UTC, in whole seconds. */
  time: string;
  region: string;
  resources: string[];
  detail: unknown;
}

/** A rule of an event bus. */
export interface Rule {
  busName: string;
  pattern: EventPattern;
  /** Delivers an event to each target. */
  targets: readonly ((event: BusEvent) => Promise<unknown>)[];
}

const Detail = v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.unknown()));

const PutEvents = v.object({
  Entries: v.array(
    v.object({
      EventBusName: v.string(),
      Source: v.string(),
      DetailType: v.string(),
      Detail: v.string(),
    }),
  ),
});
type Entry = v.InferOutput<typeof PutEvents>['Entries'][number];

/** The name of a bus, from its name or ARN. */
export const busNameOf = (nameOrArn: string) => nameOrArn.split('event-bus/').at(-1) ?? '';

/** Simulates EventBridge, for which npm has no emulator: PutEvents (AWS JSON 1.1), and rules with targets. */
export class EventBridge {
  readonly busNames = new Set<string>();
  readonly rules: Rule[] = [];
  readonly #onEvent: (event: BusEvent) => void;
  readonly #log: (line: string) => void;

  /** @param onEvent Called with each event that a bus has accepted. */
  constructor(onEvent: (event: BusEvent) => void, log: (line: string) => void) {
    this.#onEvent = onEvent;
    this.#log = log;
  }

  server(): Server {
    return createServer(async (request, response) => {
      const parsed = v.safeParse(PutEvents, await json(request).catch(() => undefined));
      const isSupported = request.headers['x-amz-target'] === 'AWSEvents.PutEvents' && parsed.success;
      response.writeHead(isSupported ? 200 : 400, { 'Content-Type': 'application/x-amz-json-1.1' });
      const answer = isSupported
        ? await this.#putEvents(parsed.output.Entries)
        : { __type: 'ValidationException', message: 'Only PutEvents is supported.' };
      response.end(JSON.stringify(answer));
    });
  }

  async #putEvents(entries: readonly Entry[]): Promise<object> {
    const Entries: object[] = [];
    for (const entry of entries) Entries.push(await this.#put(entry));
    return { Entries, FailedEntryCount: Entries.filter((entry) => 'ErrorCode' in entry).length };
  }

  async #put({ EventBusName, Source, DetailType, Detail: text }: Entry): Promise<object> {
    const busName = busNameOf(EventBusName);
    const detail = v.safeParse(Detail, text);
    if (!this.busNames.has(busName))
      return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: `Event bus ${busName} does not exist.` };
    if (!detail.success) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    const event: BusEvent = {
      version: '0',
      id: randomUUID(),
      'detail-type': DetailType,
      source: Source,
      account: ACCOUNT,
      time: new Date().toISOString().replace(/\.\d+/, ''),
      region: REGION,
      resources: [],
      detail: detail.output,
    };
    this.#onEvent(event);
    const matching = this.rules.filter(
      (rule) => rule.busName === busName && matchesPattern(rule.pattern, event),
    );
    const delivered = await Promise.allSettled(
      matching.flatMap(({ targets }) => targets.map((deliver) => deliver(event))),
    );
    for (const result of delivered)
      if (result.status === 'rejected') this.#log(`A target of a rule failed: ${result.reason}`);
    return { EventId: event.id };
  }
}
