import { CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  CfnRestApi,
  EndpointAccessMode,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  type Method,
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

export interface DeliveryApiProps {
  /** The stage of the API, which is the first segment of the URL's path. */
  stageName: string;
  settings: Settings;
  /** The function that answers the requests that the API lets through. */
  receiver: NodeFunction;
}

const PATH = '/voice/webhooks/vss';

/** The API that 8x8 delivers to: POST /voice/webhooks/vss from the allowed addresses, and nothing else. */
export class DeliveryApi extends Construct {
  /** The URL to register at 8x8. */
  readonly url: string;
  readonly restApi: RestApi;

  constructor(scope: Construct, id: string, props: DeliveryApiProps) {
    super(scope, id);
    const { settings, receiver } = props;
    const { customDomain, webAclArn } = settings;
    this.restApi = this.#restApi(props);
    const post = this.restApi.root
      .resourceForPath(PATH)
      .addMethod('POST', new LambdaIntegration(receiver, { allowTestInvoke: false }));
    if (customDomain) this.#customDomain(customDomain);
    const hasLiveDomain = customDomain?.isLive ?? customDomain?.hostedZoneId !== undefined;
    this.url =
      customDomain && hasLiveDomain ? `https://${customDomain.name}${PATH}` : this.restApi.urlForPath(PATH);
    if (webAclArn !== undefined) {
      const resourceArn = this.restApi.deploymentStage.stageArn;
      new CfnWebACLAssociation(this, 'WebAcl', { resourceArn, webAclArn });
    }
    this.#acknowledgeFindings(post);
  }

  #restApi({ stageName, settings }: DeliveryApiProps): RestApi {
    const api = new RestApi(this, 'Api', {
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
      // Passes every body to the function base64-encoded. As text, bytes that are not UTF-8 would be lost.
      binaryMediaTypes: ['*/*'],
    });
    requireTls12(api);
    // RestApi adds an output with the base URL; the stack has its own, with the whole URL.
    api.node.tryRemoveChild('Endpoint');
    for (const [type, response] of GATEWAY_RESPONSES) {
      api.addGatewayResponse(type.responseType, { type, ...problemDocument(response) });
    }
    return api;
  }

  #acknowledgeFindings(post: Method): void {
    const authorizedByFunction =
      'The function compares the Authorization header with the value registered at 8x8, which can send nothing else.';
    Validations.of(post).acknowledge(
      { id: 'AwsSolutions::AwsSolutions-APIG4', reason: authorizedByFunction },
      { id: 'AwsSolutions::AwsSolutions-COG4', reason: authorizedByFunction },
    );
    Validations.of(this.restApi).acknowledge({
      id: 'AwsSolutions::AwsSolutions-APIG2',
      reason:
        'The function validates. API Gateway would reject an invalid summary before a copy of it could be kept.',
    });
    const accountWide =
      'API Gateway writes logs with one role per account and region, which a single stack should not set.';
    Validations.of(this.restApi.deploymentStage).acknowledge(
      {
        id: 'AwsSolutions::AwsSolutions-APIG1',
        reason: `${accountWide} The function logs every request that reaches it; accessLogs enables access logs.`,
      },
      { id: 'AwsSolutions::AwsSolutions-APIG6', reason: accountWide },
      { id: 'Serverless::Serverless-APIGWAccessLogging', reason: accountWide },
      {
        id: 'AwsSolutions::AwsSolutions-APIG3',
        reason:
          'The API has one path, for one authenticated sender with known IP addresses; webAclArn adds a web ACL.',
      },
    );
  }

  /** One line of JSON per request, without any part of its body or headers. */
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
    const domain = this.restApi.addDomainName('Domain', {
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
      description: `Target of the DNS record of ${name}`,
    });
  }
}

/** TLS 1.2 and 1.3. The default policy of a regional API also accepts TLS 1.0. */
const TLS_12 = SecurityPolicy.TLS13_1_2_PQ_2025_09;

/**
 * Accepts only TLS 1.2 and 1.3, and only requests whose TLS server name matches their host. Changing the mode from STRICT
 * back to BASIC makes the API unavailable for about 15 minutes.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
 */
function requireTls12(api: RestApi): void {
  const resource = api.node.defaultChild;
  if (!(resource instanceof CfnRestApi)) throw new Error('A RestApi has a CfnRestApi for its default child');
  resource.securityPolicy = TLS_12;
  resource.endpointAccessMode = EndpointAccessMode.STRICT;
}

/** Allows these addresses. A resource policy without a matching statement denies. */
function allowedSources(stageName: string, allowed: Settings['allowedSourceIps']): PolicyDocument {
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: ['execute-api:Invoke'],
        resources: [`execute-api:/${stageName}/POST${PATH}`],
        ...(allowed !== 'any' && { conditions: { IpAddress: { 'aws:SourceIp': allowed } } }),
      }),
    ],
  });
}
