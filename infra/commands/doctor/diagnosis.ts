/** The result of a check. */
export interface Diagnosis {
  isHealthy: boolean;
  text: string;
}
