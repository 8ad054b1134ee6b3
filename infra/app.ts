import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { VssWebhookStack } from './stack.ts';
import { stackName } from './stack-outputs.ts';
import { ConfigurationError, readStage } from './stages.ts';

/** The CDK app: synthesizes the stack of one stage. Run `npx cdk deploy -c stage=prod`. */
const app = new App();
try {
  const stage = readStage(app.node.tryGetContext('stages'), app.node.tryGetContext('stage'));
  new VssWebhookStack(app, stackName(stage.name), { stage });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
