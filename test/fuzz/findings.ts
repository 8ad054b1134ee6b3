/** What was done, and what is wrong. */
export interface Findings {
  table: readonly (readonly [name: string, value: string | number])[];
  complaints: readonly string[];
}
