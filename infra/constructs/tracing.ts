import { Stack } from 'aws-cdk-lib';
import { CfnSamplingRule } from 'aws-cdk-lib/aws-xray';
import { Construct } from 'constructs';

export interface TracingProps {
  /** Which part of the requests is traced. */
  fraction: number;
  /** The stage of the API, as X-Ray calls it: `API/STAGE`. */
  serviceName: string;
}

/**
 * Which requests X-Ray traces. API Gateway decides at the way in; the webhook passes the decision on with the message
 * (functions/webhook), and X-Ray links the trace of the batch to those of its deliveries.
 */
export class Tracing extends Construct {
  constructor(scope: Construct, id: string, { fraction, serviceName }: TracingProps) {
    super(scope, id);
    new CfnSamplingRule(this, 'Rule', {
      samplingRule: {
        // A name has at most 32 characters; a stage has at most 20 (config.ts).
        ruleName: Stack.of(this).stackName.replace(/^vss-webhook-/, 'vss-'),
        version: 1,
        priority: 1_000,
        fixedRate: fraction,
        // Not one for each second too: that would be most of them, and cost more than all the rest of the stack.
        reservoirSize: 0,
        serviceName,
        serviceType: 'AWS::ApiGateway::Stage',
        host: '*',
        httpMethod: '*',
        urlPath: '*',
        resourceArn: '*',
      },
    });
  }
}
