import { App } from 'aws-cdk-lib';
import { addStages } from './add-stages.ts';
import { readCdkJson } from './cdk-json.ts';
import { ConfigurationError } from './configuration-error.ts';

/** The CDK app: synthesizes the stack of one stage. Run `npx cdk deploy -c stage=prod`. */
try {
  // The CDK CLI has read it already, from this folder, but does not mention a key that is there twice.
  readCdkJson('cdk.json');
  addStages(new App());
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
