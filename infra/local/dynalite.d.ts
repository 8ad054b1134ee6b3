/** The part of dynalite that is used here. The package has no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** Creates an in-memory server of the DynamoDB API. */
  export default function dynalite(options?: {
    /** How long a new table has the status CREATING. */
    createTableMs?: number;
  }): Server;
}
