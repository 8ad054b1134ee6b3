import { Stack } from 'aws-cdk-lib';
import { CfnSamplingRule } from 'aws-cdk-lib/aws-xray';
import { Construct } from 'constructs';

export interface TracingProps {
  /** Fraction of the requests to trace. */
  fraction: number;
  /** X-Ray's name for the stage of the API: `API/STAGE`. */
  serviceName: string;
}

/**
 * Samples requests for X-Ray. API Gateway decides for each request. The webhook passes the decision on with the SQS
 * message (functions/webhook), and X-Ray links the trace of a batch to the traces of its deliveries.
 */
export class Tracing extends Construct {
  constructor(scope: Construct, id: string, { fraction, serviceName }: TracingProps) {
    super(scope, id);
    new CfnSamplingRule(this, 'Rule', {
      samplingRule: {
        // X-Ray allows 32 characters, and the name of a stage has up to 20 (stages.ts).
        ruleName: Stack.of(this).stackName.replace(/^vss-webhook-/, 'vss-'),
        version: 1,
        priority: 1_000,
        fixedRate: fraction,
        // A reservoir of 1 would trace one request per second: most of them, at a higher cost than the rest of the stack.
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
