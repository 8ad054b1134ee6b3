import { Stack, Validations } from 'aws-cdk-lib';
import { Provider } from 'aws-cdk-lib/custom-resources';
import type { Construct } from 'constructs';
import { type NodeFunction, roleWithLogs } from './node-function.ts';

/** CDK's provider framework around one of our functions, with a role and a log group of its own. */
export class CustomResourceProvider extends Provider {
  constructor(scope: Construct, id: string, onEventHandler: NodeFunction) {
    const { role, logGroup } = roleWithLogs(scope, id);
    super(scope, id, { onEventHandler, logGroup, frameworkOnEventRole: role });
    Validations.of(role).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${Stack.of(scope).resolve(onEventHandler.functionArn)['Fn::GetAtt'][0]}.Arn>:*]`,
      reason: 'The CDK provider framework invokes the function by ARN and by version of that ARN.',
    });
    Validations.of(this).acknowledge(
      {
        id: 'Serverless::Serverless-LambdaDLQ',
        reason: 'CloudFormation waits for the answer, and fails the deployment without one.',
      },
      {
        id: 'Serverless::Serverless-LambdaDefaultMemorySize',
        reason: 'CDK’s own function only passes an event on; it needs no more than the default.',
      },
      {
        id: 'Serverless::Serverless-LambdaTracing',
        reason: 'CDK’s own function runs during a deployment only, which CloudFormation records.',
      },
    );
  }
}
