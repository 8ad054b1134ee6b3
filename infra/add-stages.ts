import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { assertKnownKeys } from './context-keys.ts';
import { VssWebhookStack } from './stack.ts';
import { stackName } from './stack-outputs.ts';
import { readStage } from './stages.ts';

/**
 * Adds the stack of each stage to an app, which then checks them with cdk-nag. Reads the settings from the context.
 *
 * @param names Default: the stage in the context.
 * @throws ConfigurationError
 */
export function addStages(app: App, names: readonly unknown[] = [app.node.tryGetContext('stage')]): void {
  assertKnownKeys(app.node.getAllContext());
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  for (const name of names) {
    const stage = readStage(app.node.tryGetContext('stages'), name);
    new VssWebhookStack(app, stackName(stage.name), { stage });
  }
}
