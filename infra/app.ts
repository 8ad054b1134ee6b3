import { App } from 'aws-cdk-lib';
import { addStages } from './add-stages.ts';
import { ConfigurationError } from './stages.ts';

/** The CDK app: synthesizes the stack of one stage. Run `npx cdk deploy -c stage=prod`. */
try {
  addStages(new App());
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
