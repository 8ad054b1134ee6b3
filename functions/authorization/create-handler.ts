import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import * as v from 'valibot';
import { digestOf } from './digest.ts';

/** Properties of the custom resource, as CloudFormation sends them: all values are text. */
const Properties = v.object({
  /** The setting `authorizationVersion`. */
  version: v.pipe(v.string(), v.transform(Number), v.integer()),
  /** The secrets with the accepted values: the previous, the current and the next one. */
  secretArns: v.array(v.string()),
});

/** Reads the text of a secret; rejects if it has none. */
type ReadSecret = (secretArn: string) => Promise<string>;

/**
 * The custom resource behind the webhook's authorization (CDK provider framework). Its attribute `digests` is the
 * comma-separated list of the SHA-256 of each accepted Authorization value, so the webhook needs no access to secrets.
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
          `authorizationVersion changed from ${previous} to ${version}. Change it by one per deployment: ` +
            'otherwise the webhook would reject the value that 8x8 still sends.',
        );
      }
    }
    const values = await Promise.all(secretArns.map(readSecret));
    return { ...resource, Data: { digests: values.map(digestOf).join(',') } };
  };
}
