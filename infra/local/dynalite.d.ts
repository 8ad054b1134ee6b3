/** What is used of dynalite, which has no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** A server of the DynamoDB API, in memory. */
  export default function dynalite(options?: {
    /** How long a table is CREATING. */
    createTableMs?: number;
  }): Server;
}
