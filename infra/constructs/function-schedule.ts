import { Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import type { NodeFunction } from './node-function.ts';

export interface FunctionScheduleProps {
  target: NodeFunction;
  description: string;
  /** The interval. */
  minutes: number;
  event: object;
}

/** Invokes a function at regular intervals, starting when the schedule is created. */
export class FunctionSchedule extends CfnSchedule {
  constructor(scope: Construct, id: string, { target, description, minutes, event }: FunctionScheduleProps) {
    const { account } = Stack.of(scope);
    const role = new Role(scope, `${id}Role`, {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
      inlinePolicies: {
        Invoke: new PolicyDocument({
          statements: [
            new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [target.functionArn] }),
          ],
        }),
      },
    });
    super(scope, id, {
      description,
      scheduleExpression: `rate(${minutes} minutes)`,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: target.functionArn,
        roleArn: role.roleArn,
        input: Stack.of(scope).toJsonString(event),
        // Few retries, because the next invocation follows soon.
        retryPolicy: { maximumRetryAttempts: 2, maximumEventAgeInSeconds: 300 },
      },
    });
  }
}
