import { Stack, Validations } from 'aws-cdk-lib';
import { Provider } from 'aws-cdk-lib/custom-resources';
import type { Construct } from 'constructs';
import { type NodeFunction, roleWithLogs } from './node-function.ts';

/** Runs one of our functions as a custom resource, in CDK's provider framework with a dedicated role and log group. */
export class CustomResourceProvider extends Provider {
  constructor(scope: Construct, id: string, onEventHandler: NodeFunction) {
    const { role, logGroup } = roleWithLogs(scope, id);
    super(scope, id, { onEventHandler, logGroup, frameworkOnEventRole: role });
    Validations.of(role).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${Stack.of(scope).resolve(onEventHandler.functionArn)['Fn::GetAtt'][0]}.Arn>:*]`,
      reason:
        'CDK’s provider framework may invoke the function by its ARN and by the ARN of any of its versions.',
    });
    Validations.of(this).acknowledge(
      {
        id: 'Serverless::Serverless-LambdaDLQ',
        reason: 'CloudFormation waits for the response, and fails the deployment if it does not arrive.',
      },
      {
        id: 'Serverless::Serverless-LambdaDefaultMemorySize',
        reason: 'CDK’s function only forwards events, for which the default memory size is enough.',
      },
      {
        id: 'Serverless::Serverless-LambdaTracing',
        reason: 'CDK’s function runs only during deployments, and CloudFormation records those.',
      },
    );
  }
}
