import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { onlyOf, templateOf } from '../templates.ts';

const DOMAIN = {
  name: 'vss.example.com',
  certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/a',
};
const WEB_ACL = 'arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b';

const template = templateOf({ allowedSourceIps: undefined });
const only = onlyOf(template);
const customized = templateOf({
  allowedSourceIps: 'any',
  throttlingRate: 7,
  throttlingBurst: 9,
  accessLogs: true,
  webAclArn: WEB_ACL,
  customDomain: { ...DOMAIN, hostedZoneId: 'Z1' },
});

describe('the API', () => {
  it('is regional, passes bodies on as bytes, and has the single method POST /voice/webhooks/vss', () => {
    expect(only('AWS::ApiGateway::RestApi').properties).toMatchObject({
      EndpointConfiguration: { Types: ['REGIONAL'] },
      BinaryMediaTypes: ['*/*'],
    });
    const parts = Object.values(template.findResources('AWS::ApiGateway::Resource')).map(
      ({ Properties }) => Properties.PathPart,
    );
    expect(parts.toSorted()).toEqual(['voice', 'vss', 'webhooks']);
    expect(only('AWS::ApiGateway::Method').properties).toMatchObject({
      HttpMethod: 'POST',
      ResourceId: { Ref: only('AWS::ApiGateway::Resource', { PathPart: 'vss' }).id },
      Integration: { Type: 'AWS_PROXY' },
    });
  });

  it('may invoke the webhook function only through that method', () => {
    const { FunctionName, Principal, SourceArn } = only('AWS::Lambda::Permission').properties;

    expect(FunctionName).toEqual({ 'Fn::GetAtt': [expect.stringContaining('WebhookFunction'), 'Arn'] });
    expect(Principal).toBe('apigateway.amazonaws.com');
    expect(JSON.stringify(SourceArn)).toContain('/POST/voice/webhooks/vss');
  });

  it('does not set the account-wide role for logs', () => {
    for (const each of [template, customized]) each.resourceCountIs('AWS::ApiGateway::Account', 0);
  });

  it('accepts requests only from 8x8’s addresses, unless allowedSourceIps lists others or is any', () => {
    const statement = (source: object) => ({
      Effect: 'Allow',
      Action: 'execute-api:Invoke',
      Principal: { AWS: '*' },
      Resource: 'execute-api:/test/POST/voice/webhooks/vss',
      ...source,
    });
    const policyOf = (each: Template) => onlyOf(each)('AWS::ApiGateway::RestApi').properties.Policy.Statement;

    expect(policyOf(template)).toEqual([
      statement({
        Condition: {
          IpAddress: {
            'aws:SourceIp': ['18.140.80.2/32', '52.220.253.234/32', '54.255.116.8/32', '52.74.232.241/32'],
          },
        },
      }),
    ]);
    expect(policyOf(customized)).toEqual([statement({})]);
  });

  it('rejects TLS versions before 1.2', () => {
    expect(only('AWS::ApiGateway::RestApi').properties).toMatchObject({
      SecurityPolicy: 'SecurityPolicy_TLS13_1_2_PQ_2025_09',
      EndpointAccessMode: 'STRICT',
    });
    expect(onlyOf(customized)('AWS::ApiGateway::DomainName').properties).toMatchObject({
      SecurityPolicy: 'SecurityPolicy_TLS13_1_2_PQ_2025_09',
      EndpointAccessMode: 'STRICT',
    });
  });

  it('is throttled at throttlingRate and throttlingBurst', () => {
    const throttlingOf = (each: Template) => onlyOf(each)('AWS::ApiGateway::Stage').properties.MethodSettings;

    expect(throttlingOf(template)).toMatchObject([
      { HttpMethod: '*', ResourcePath: '/*', ThrottlingRateLimit: 200, ThrottlingBurstLimit: 400 },
    ]);
    expect(throttlingOf(customized)).toMatchObject([{ ThrottlingRateLimit: 7, ThrottlingBurstLimit: 9 }]);
  });

  it('returns problem documents for the errors that API Gateway generates itself', () => {
    const responses = Object.values(template.findResources('AWS::ApiGateway::GatewayResponse')).map(
      ({ Properties }) => ({
        type: Properties.ResponseType,
        status: Properties.StatusCode,
        headers: Properties.ResponseParameters,
        problem: JSON.parse(Properties.ResponseTemplates['application/json']),
      }),
    );

    expect(Object.fromEntries(responses.map(({ type, status }) => [type, status]))).toEqual({
      ACCESS_DENIED: '403',
      MISSING_AUTHENTICATION_TOKEN: '404',
      INVALID_SIGNATURE: '404',
      EXPIRED_TOKEN: '404',
      REQUEST_TOO_LARGE: '413',
      THROTTLED: '429',
      DEFAULT_4XX: undefined,
      DEFAULT_5XX: undefined,
    });
    for (const { type, status, headers, problem } of responses) {
      expect(headers['gatewayresponse.header.Content-Type']).toBe("'application/problem+json'");
      expect(headers['gatewayresponse.header.Retry-After']).toBe(
        ['THROTTLED', 'DEFAULT_5XX'].includes(type) ? "'30'" : undefined,
      );
      expect(problem).toEqual({
        type: expect.stringMatching(/^urn:problem:vss-webhook:[a-z-]+$/),
        title: expect.any(String),
        detail: expect.any(String),
        requestId: '$context.requestId',
        ...(status && { status: Number(status) }),
      });
    }
  });

  it('logs requests only with accessLogs, and without headers and bodies', () => {
    expect(only('AWS::ApiGateway::Stage').properties.AccessLogSetting).toBeUndefined();
    const { Format } = onlyOf(customized)('AWS::ApiGateway::Stage').properties.AccessLogSetting;

    expect(Object.keys(JSON.parse(Format))).toEqual([
      'time',
      'requestId',
      'sourceIp',
      'method',
      'path',
      'status',
      'error',
      'bytes',
      'milliseconds',
    ]);
    expect(Format).not.toMatch(/header|body|authorizer/i);
  });

  it('has a web ACL only with webAclArn', () => {
    template.resourceCountIs('AWS::WAFv2::WebACLAssociation', 0);
    customized.hasResourceProperties('AWS::WAFv2::WebACLAssociation', {
      WebACLArn: WEB_ACL,
      ResourceArn: Match.objectLike({}),
    });
  });
});

describe('a custom domain', () => {
  const registeredUrl = (customDomain: object) =>
    Object.values(
      templateOf({ customDomain: { ...DOMAIN, ...customDomain } }).findResources(
        'Custom::WebhookRegistration',
      ),
    )[0]?.['Properties'].url;

  it('is registered at 8x8 if isLive is true, which defaults to whether it has a hosted zone', () => {
    const url = 'https://vss.example.com/voice/webhooks/vss';

    expect(registeredUrl({ hostedZoneId: 'Z1' })).toBe(url);
    expect(registeredUrl({ isLive: true })).toBe(url);
    expect(registeredUrl({})).toEqual({ 'Fn::Join': expect.anything() });
    expect(registeredUrl({ hostedZoneId: 'Z1', isLive: false })).toEqual({ 'Fn::Join': expect.anything() });
  });

  it('maps to the API, and an output has the target of its DNS record', () => {
    const find = onlyOf(customized);
    const { id } = find('AWS::ApiGateway::DomainName', { DomainName: DOMAIN.name });

    expect(find('AWS::ApiGateway::BasePathMapping').properties).toMatchObject({
      DomainName: { Ref: id },
      Stage: { Ref: find('AWS::ApiGateway::Stage').id },
    });
    expect(find('AWS::Route53::RecordSet').properties).toMatchObject({
      Name: `${DOMAIN.name}.`,
      AliasTarget: { DNSName: { 'Fn::GetAtt': [id, 'RegionalDomainName'] } },
    });
    customized.hasOutput('DomainTarget', { Value: { 'Fn::GetAtt': [id, 'RegionalDomainName'] } });
  });
});
