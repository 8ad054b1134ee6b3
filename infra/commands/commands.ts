import type { Command } from './command-line/command.ts';

/** The commands of `npx vss-webhook`, in the order of its --help. Each is loaded only when it is needed. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).start,
  doctor: async () => (await import('./doctor.ts')).doctor,
  smoke: async () => (await import('./smoke.ts')).smoke,
  redrive: async () => (await import('./redrive.ts')).redrive,
  reconcile: async () => (await import('./reconcile.ts')).reconcile,
  restore: async () => (await import('./restore.ts')).restore,
  erase: async () => (await import('./erase.ts')).erase,
  query: async () => (await import('./query.ts')).query,
  report: async () => (await import('./report.ts')).report,
  export: async () => (await import('./export.ts')).exportTable,
  cost: async () => (await import('./cost.ts')).cost,
};
