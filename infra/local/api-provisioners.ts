import * as v from 'valibot';
import { allowedAddresses } from './api-gateway.ts';
import { functionOf, type Provisioner } from './provisioning-context.ts';

/** Provisions the parts of an API on this machine. */
export const API_PROVISIONERS: Readonly<Record<string, Provisioner>> = {
  // The id of an API resource is its path, so that a method, which refers to the id, knows its path.
  async 'AWS::ApiGateway::RestApi'(context, properties, logicalId) {
    const { BinaryMediaTypes, Policy } = v.parse(
      v.object({
        BinaryMediaTypes: v.optional(v.array(v.string()), []),
        Policy: v.object({
          Statement: v.tuple([
            v.object({
              Effect: v.literal('Allow'),
              Condition: v.optional(
                v.object({ IpAddress: v.object({ 'aws:SourceIp': v.array(v.string()) }) }),
                { IpAddress: { 'aws:SourceIp': ['0.0.0.0/0', '::/0'] } },
              ),
            }),
          ]),
        }),
      }),
      properties,
    );
    context.api.binary = BinaryMediaTypes.includes('*/*');
    context.api.allowed = allowedAddresses(Policy.Statement[0].Condition.IpAddress['aws:SourceIp']);
    return { ref: logicalId, attributes: { RootResourceId: '' } };
  },

  async 'AWS::ApiGateway::GatewayResponse'(context, properties, logicalId) {
    const { ResponseParameters, ResponseTemplates, ResponseType, StatusCode } = v.parse(
      v.object({
        ResponseParameters: v.record(v.string(), v.string()),
        ResponseTemplates: v.object({ 'application/json': v.string() }),
        ResponseType: v.string(),
        StatusCode: v.optional(v.pipe(v.string(), v.transform(Number))),
      }),
      properties,
    );
    const headers = Object.entries(ResponseParameters).map(([name, value]) => [
      name.replace(/^gatewayresponse\.header\./, ''),
      value.replace(/^'(.*)'$/, '$1'),
    ]);
    context.api.responses.set(ResponseType, {
      status: StatusCode,
      headers: Object.fromEntries(headers),
      template: ResponseTemplates['application/json'],
    });
    return { ref: logicalId };
  },

  async 'AWS::ApiGateway::Resource'(_, properties) {
    const { ParentId, PathPart } = v.parse(
      v.object({ ParentId: v.string(), PathPart: v.string() }),
      properties,
    );
    return { ref: `${ParentId}/${PathPart}` };
  },

  async 'AWS::ApiGateway::Method'(context, properties, logicalId) {
    const { HttpMethod, ResourceId, Integration } = v.parse(
      v.object({
        HttpMethod: v.string(),
        ResourceId: v.string(),
        Integration: v.object({
          Type: v.literal('AWS_PROXY'),
          Uri: v.pipe(v.string(), v.regex(/\/functions\/.*\/invocations$/)),
        }),
      }),
      properties,
    );
    const arn = Integration.Uri.replace(/^.*\/functions\//, '').replace(/\/invocations$/, '');
    context.api.methods.push({ method: HttpMethod, path: ResourceId, target: functionOf(context, arn) });
    return { ref: logicalId };
  },

  async 'AWS::ApiGateway::Stage'(context, properties) {
    const { StageName } = v.parse(v.object({ StageName: v.string() }), properties);
    context.api.stageName = StageName;
    return { ref: StageName };
  },
};
