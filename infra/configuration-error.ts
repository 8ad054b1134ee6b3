/** The context of the CDK app is invalid. The message tells the author of cdk.json what to fix. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}
