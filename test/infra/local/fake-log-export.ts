import { parse } from 'csv-parse/sync';
import * as v from 'valibot';
import { Fake8x8 } from '../../../infra/local/fake-8x8/fake-8x8.ts';
import { fake8x8Server } from '../../../infra/local/fake-8x8/server.ts';
import { Switches } from '../../../infra/local/fake-8x8/switches.ts';
import { close, listenOnLoopback } from '../../../infra/local/loopback.ts';
import { summaryBody } from '../../functions/summaries.ts';

export const KEY = 'the-key';
export const SUB_ACCOUNT = '8x8_test';

/** A range that contains every session. */
export const ALL = { from: '2020-01-01', to: '2027-01-01', limit: 0 };

const Started = v.object({ jobId: v.string() });
const Polled = v.object({
  status: v.string(),
  data: v.optional(v.array(v.string())),
  expires: v.optional(v.string()),
});
const Rows = v.array(v.record(v.string(), v.string()));

export type FakeLogExport = Awaited<ReturnType<typeof startFakeLogExport>>;

/** Serves a fake 8x8 with one sub-account and a clock that does not advance by itself, and is its client. */
export async function startFakeLogExport() {
  let paused = 0;
  let time = Date.parse('2026-02-01T12:00:00Z');
  const api = new Fake8x8(KEY, [SUB_ACCOUNT], {
    now: () => time,
    pause: async (pause) => {
      paused += pause;
    },
  });
  const server = fake8x8Server(api);
  const url = await listenOnLoopback(server, 0);
  const withKey = { headers: { Authorization: `Bearer ${KEY}` } };

  function request(
    method: string,
    path: string,
    { body, authorization = `Bearer ${KEY}` }: RequestOptions = {},
  ) {
    return fetch(`${url}/api/v1/subaccounts/${SUB_ACCOUNT}/messages/${path}`, {
      method,
      headers: { Authorization: authorization },
      ...(body !== undefined && { body }),
    });
  }
  async function start(range: object | undefined): Promise<string> {
    const body = range && JSON.stringify(range);
    const response = await request('POST', 'exports', { body });
    if (response.status !== 202) throw new Error(`Started with ${response.status}`);
    return v.parse(Started, await response.json()).jobId;
  }
  async function poll(jobId: string) {
    return v.parse(Polled, await (await request('GET', `exports/${jobId}`)).json());
  }
  async function finished(jobId: string) {
    for (;;) {
      const polled = await poll(jobId);
      if (polled.status !== 'queued' && polled.status !== 'running') return polled;
    }
  }
  const done = async (range: object | undefined) => finished(await start(range));
  const linksOf = async (range: object) => (await done(range)).data ?? [];
  const download = (link: string, init: RequestInit = withKey) => fetch(link, init);
  const textOf = async (link: string) =>
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(await (await download(link)).arrayBuffer());
  async function exported(range: object = ALL): Promise<string> {
    const [link = ''] = await linksOf(range);
    return link && textOf(link);
  }

  return {
    api,
    url,
    request,
    start,
    poll,
    done,
    linksOf,
    download,
    textOf,
    exported,
    rows: async (range: object = ALL) => rowsIn(await exported(range)),
    async rowsOf(jobId: string) {
      const [link = ''] = (await finished(jobId)).data ?? [];
      return rowsIn(await textOf(link));
    },
    now: () => time,
    /** How many milliseconds answers were delayed. */
    paused: () => paused,
    advance: (milliseconds: number) => {
      time += milliseconds;
    },
    setTime: (text: string) => {
      time = Date.parse(text);
    },
    set: (logExport: object, others: object = {}) => {
      api.switches = v.parse(Switches, { ...others, logExport });
    },
    stop: () => close(server),
  };
}

/** Parses a file of the log export that has a header. */
export function rowsIn(csv: string): Record<string, string>[] {
  return v.parse(Rows, parse(csv, { columns: true, bom: true }));
}

interface RequestOptions {
  body?: string | undefined;
  authorization?: string;
}

let sessions = 0;

/** The body of a summary of a session with one call. */
export function oneCall({
  sessionId = `session-${++sessions}`,
  startTime = '2026-01-13T08:29:06Z',
  seconds = 10,
  ...payload
}: {
  sessionId?: string;
  startTime?: string;
  seconds?: number;
  [field: string]: unknown;
} = {}): string {
  const endTime = new Date(Date.parse(startTime) + seconds * 1_000).toISOString();
  const callA = {
    callId: `call of ${sessionId}`,
    callDirection: 'OUTBOUND',
    callType: 'PSTN',
    initiatedTimestamp: startTime,
    connectedTimestamp: startTime,
    disconnectedTimestamp: endTime,
    source: '+6568332048',
    destination: '+12314377870',
    sourceCountryCode: 'SG',
    destinationCountryCode: 'US',
    callStatus: 'COMPLETED',
    callDuration: seconds,
  };
  return summaryBody({ sessionId, startTime, endTime, details: { callA }, ...payload });
}
