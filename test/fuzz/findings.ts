/** The results of a run, and its failures. */
export interface Findings {
  table: readonly (readonly [name: string, value: string | number])[];
  complaints: readonly string[];
}
