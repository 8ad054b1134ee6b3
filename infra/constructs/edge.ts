import { CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  CfnRestApi,
  EndpointAccessMode,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  RestApi,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { AnyPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayDomain } from 'aws-cdk-lib/aws-route53-targets';
import { CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { Settings } from '../settings.ts';
import { GATEWAY_RESPONSES, problemDocument } from './gateway-responses.ts';
import { logGroup, type NodeFunction } from './node-function.ts';

export interface EdgeProps {
  /** The first part of the URL's path. */
  stageName: string;
  settings: Settings;
  /** Answers the requests that get through. */
  receiver: NodeFunction;
}

/** The URL that 8x8 delivers to: POST /voice/webhooks/vss from the allowed addresses, and nothing else. */
export class Edge extends Construct {
  readonly url: string;
  readonly api: RestApi;

  constructor(scope: Construct, id: string, { stageName, settings, receiver }: EdgeProps) {
    super(scope, id);
    this.api = new RestApi(this, 'Api', {
      restApiName: Stack.of(this).stackName,
      description: 'Receives Voice Session Summaries from 8x8',
      endpointTypes: [EndpointType.REGIONAL],
      policy: allowedSources(stageName, settings.allowedSourceIps),
      deployOptions: {
        stageName,
        tracingEnabled: true,
        throttlingRateLimit: settings.throttlingRate,
        throttlingBurstLimit: settings.throttlingBurst,
        ...(settings.accessLogs && this.#accessLogs()),
      },
      cloudWatchRole: false,
      // Every body reaches the function as its bytes, in base64; as text, bytes that are not UTF-8 would be lost.
      binaryMediaTypes: ['*/*'],
    });
    requireTls12(this.api);
    // CDK's own output: the stack has one with the whole URL.
    this.api.node.tryRemoveChild('Endpoint');
    const vss = this.api.root.addResource('voice').addResource('webhooks').addResource('vss');
    const post = vss.addMethod('POST', new LambdaIntegration(receiver, { allowTestInvoke: false }));
    for (const [type, response] of GATEWAY_RESPONSES) {
      this.api.addGatewayResponse(type.responseType, { type, ...problemDocument(response) });
    }
    this.url = this.api.urlForPath(vss.path);
    const { customDomain } = settings;
    if (customDomain !== undefined) {
      this.#customDomain(customDomain);
      if (customDomain.isLive ?? customDomain.hostedZoneId !== undefined)
        this.url = `https://${customDomain.name}${vss.path}`;
    }
    if (settings.webAclArn !== undefined) {
      new CfnWebACLAssociation(this, 'WebAcl', {
        resourceArn: this.api.deploymentStage.stageArn,
        webAclArn: settings.webAclArn,
      });
    }

    const authorizedByFunction =
      'The function compares the Authorization header with the value registered at 8x8, which can send nothing else.';
    Validations.of(post).acknowledge(
      { id: 'AwsSolutions::AwsSolutions-APIG4', reason: authorizedByFunction },
      { id: 'AwsSolutions::AwsSolutions-COG4', reason: authorizedByFunction },
    );
    Validations.of(this.api).acknowledge({
      id: 'AwsSolutions::AwsSolutions-APIG2',
      reason:
        'The function validates: API Gateway would refuse a summary before anyone could keep a copy of it.',
    });
    const accountWide =
      'API Gateway writes logs with a role of the whole account, which is not for one stack to set.';
    Validations.of(this.api.deploymentStage).acknowledge(
      {
        id: 'AwsSolutions::AwsSolutions-APIG1',
        reason: `${accountWide} The function logs every request that reaches it; accessLogs turns these on.`,
      },
      { id: 'AwsSolutions::AwsSolutions-APIG6', reason: accountWide },
      { id: 'Serverless::Serverless-APIGWAccessLogging', reason: accountWide },
      {
        id: 'AwsSolutions::AwsSolutions-APIG3',
        reason:
          'There is one path, for one sender from known addresses that authenticates; webAclArn adds a web ACL.',
      },
    );
  }

  /** One line of JSON per request: who called, and what was answered; nothing of what was sent. */
  #accessLogs() {
    return {
      accessLogDestination: new LogGroupLogDestination(logGroup(this, 'AccessLogs')),
      accessLogFormat: AccessLogFormat.custom(
        JSON.stringify({
          time: '$context.requestTime',
          requestId: '$context.requestId',
          sourceIp: '$context.identity.sourceIp',
          method: '$context.httpMethod',
          path: '$context.path',
          status: '$context.status',
          error: '$context.error.responseType',
          bytes: '$context.responseLength',
          milliseconds: '$context.responseLatency',
        }),
      ),
    };
  }

  #customDomain({ name, certificateArn, hostedZoneId }: NonNullable<Settings['customDomain']>): void {
    const domain = this.api.addDomainName('Domain', {
      domainName: name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: TLS_12,
      endpointAccessMode: EndpointAccessMode.STRICT,
    });
    if (hostedZoneId !== undefined) {
      const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName: name });
      new ARecord(this, 'Record', {
        zone,
        target: RecordTarget.fromAlias(new ApiGatewayDomain(domain)),
      });
    }
    new CfnOutput(this, 'DomainTarget', {
      key: 'DomainTarget',
      value: domain.domainNameAliasDomainName,
      description: `What the DNS record of ${name} has to lead to`,
    });
  }
}

/** TLS 1.2 and 1.3; the policy that a regional API has by default takes TLS 1.0 too. */
const TLS_12 = SecurityPolicy.TLS13_1_2_PQ_2025_09;

/**
 * Takes TLS 1.2 and 1.3 only, and only requests whose TLS server name is the host that they are for. A stack that had the
 * mode BASIC has to be switched with care: going back from STRICT takes the API down for about a quarter of an hour.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
 */
function requireTls12(api: RestApi): void {
  const resource = api.node.defaultChild;
  if (!(resource instanceof CfnRestApi)) throw new Error('A RestApi has a CfnRestApi for its default child');
  resource.securityPolicy = TLS_12;
  resource.endpointAccessMode = EndpointAccessMode.STRICT;
}

/** Whoever it does not allow is refused: a resource policy without a matching statement denies. */
function allowedSources(stageName: string, allowed: Settings['allowedSourceIps']): PolicyDocument {
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: ['execute-api:Invoke'],
        resources: [`execute-api:/${stageName}/POST/voice/webhooks/vss`],
        ...(allowed !== 'any' && { conditions: { IpAddress: { 'aws:SourceIp': allowed } } }),
      }),
    ],
  });
}
