import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { EndpointType, LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { NodeFunction } from './node-function.ts';

export interface WebhookProps {
  /** The first part of the URL's path. */
  stageName: string;
  subAccountIds: readonly string[];
  /** SHA-256 of the accepted Authorization values, comma-separated. */
  authorizationDigests: string;
  queue: Queue;
  deadLetterQueue: Queue;
}

/** The URL that 8x8 delivers to: POST /voice/webhooks/vss, and nothing else. */
export class Webhook extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, props: WebhookProps) {
    super(scope, id);
    const receiver = new NodeFunction(this, 'Function', {
      folder: 'webhook',
      description: 'Puts Voice Session Summaries of 8x8 into the queue',
      // Three attempts at SQS of three seconds each, and the pauses between them (functions/client-settings.ts).
      timeout: Duration.seconds(10),
      environment: {
        QUEUE_URL: props.queue.queueUrl,
        DEAD_LETTER_QUEUE_URL: props.deadLetterQueue.queueUrl,
        AUTHORIZATION_DIGESTS: props.authorizationDigests,
        SUB_ACCOUNT_IDS: props.subAccountIds.join(','),
      },
    });
    props.queue.grant(receiver, 'sqs:SendMessage');
    props.deadLetterQueue.grant(receiver, 'sqs:SendMessage');

    const api = new RestApi(this, 'Api', {
      restApiName: Stack.of(this).stackName,
      description: 'Receives Voice Session Summaries from 8x8',
      endpointTypes: [EndpointType.REGIONAL],
      deployOptions: { stageName: props.stageName },
      cloudWatchRole: false,
      // Every body reaches the function as its bytes, in base64; as text, bytes that are not UTF-8 would be lost.
      binaryMediaTypes: ['*/*'],
    });
    const vss = api.root.addResource('voice').addResource('webhooks').addResource('vss');
    const post = vss.addMethod('POST', new LambdaIntegration(receiver, { allowTestInvoke: false }));
    this.url = api.urlForPath(vss.path);

    const authorizedByFunction =
      'The function compares the Authorization header with the value registered at 8x8, which can send nothing else.';
    Validations.of(post).acknowledge(
      { id: 'AwsSolutions::AwsSolutions-APIG4', reason: authorizedByFunction },
      { id: 'AwsSolutions::AwsSolutions-COG4', reason: authorizedByFunction },
    );
    Validations.of(api).acknowledge({
      id: 'AwsSolutions::AwsSolutions-APIG2',
      reason:
        'The function validates: API Gateway would refuse a summary before anyone could keep a copy of it.',
    });
    const accountWide =
      'API Gateway writes logs with a role of the whole account, which is not for one stack to set.';
    Validations.of(api.deploymentStage).acknowledge(
      {
        id: 'AwsSolutions::AwsSolutions-APIG1',
        reason: `${accountWide} The function logs every request that reaches it.`,
      },
      { id: 'AwsSolutions::AwsSolutions-APIG6', reason: accountWide },
      {
        id: 'AwsSolutions::AwsSolutions-APIG3',
        reason:
          'There is one path, for one sender that authenticates; a web ACL would cost more than the rest of the API.',
      },
    );
  }
}
