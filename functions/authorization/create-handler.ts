import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import * as v from 'valibot';
import { digestOf } from './digest.ts';

/** Properties of the custom resource, as CloudFormation sends them: everything is text. */
const Properties = v.object({
  /** The setting `authorizationVersion`. */
  version: v.pipe(v.string(), v.transform(Number), v.integer()),
  /** The secrets whose values are accepted: the previous one, the current and the next. */
  secretArns: v.array(v.string()),
});

/** How a secret is read; rejects where it has no text. */
type ReadSecret = (secretArn: string) => Promise<string>;

/**
 * The custom resource behind the webhook's authorization (CDK provider framework). Its attribute `digests` has the
 * SHA-256 of every accepted Authorization value, comma-separated, so that the webhook itself reads no secret.
 */
export function createHandler(readSecret: ReadSecret) {
  return async (event: CloudFormationCustomResourceEvent) => {
    const resource = { PhysicalResourceId: 'authorization-digests' };
    if (event.RequestType === 'Delete') return resource;
    const { version, secretArns } = v.parse(Properties, event.ResourceProperties);
    if (event.RequestType === 'Update') {
      const previous = v.parse(Properties, event.OldResourceProperties).version;
      if (Math.abs(version - previous) > 1) {
        throw new Error(
          `authorizationVersion goes from ${previous} to ${version}. Change it by one per deployment: ` +
            'only then does the value that 8x8 sends now stay accepted until it sends the new one.',
        );
      }
    }
    const values = await Promise.all(secretArns.map(readSecret));
    return { ...resource, Data: { digests: values.map(digestOf).join(',') } };
  };
}
