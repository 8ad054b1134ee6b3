import dynalite from 'dynalite';
import { close, listenOnLoopback } from '../../../infra/local/loopback.ts';
import type { Emulator } from './emulated-table.ts';

export async function startDynalite(): Promise<Emulator> {
  const server = dynalite({ createTableMs: 0 });
  return { endpoint: await listenOnLoopback(server, 0), stop: () => close(server) };
}
