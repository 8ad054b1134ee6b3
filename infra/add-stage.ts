import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { VssWebhookStack } from './stack.ts';
import { stackName } from './stack-outputs.ts';
import { readStage } from './stages.ts';

/**
 * Adds the stack of a stage to an app, which then checks it with cdk-nag. Reads the stages, and which one it is, from
 * the context.
 *
 * @throws ConfigurationError
 */
export function addStage(app: App): VssWebhookStack {
  const stage = readStage(app.node.tryGetContext('stages'), app.node.tryGetContext('stage'));
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  return new VssWebhookStack(app, stackName(stage.name), { stage });
}
