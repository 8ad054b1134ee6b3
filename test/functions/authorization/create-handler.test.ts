import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../../functions/authorization/create-handler.ts';
import { digestOf } from '../../../functions/authorization/digest.ts';

const COMMON = {
  ServiceToken: 'token',
  ResponseURL: 'https://example.com',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'Digests',
  ResourceType: 'Custom::AuthorizationDigests',
};

const properties = (version: number, ...secretArns: string[]) => ({
  ServiceToken: 'token',
  version: String(version),
  secretArns,
});

const handle = createHandler(async (arn) => `value of ${arn}`);

type Properties = ReturnType<typeof properties>;

function update(from: Properties, to: Properties): CloudFormationCustomResourceEvent {
  return {
    ...COMMON,
    RequestType: 'Update',
    PhysicalResourceId: 'authorization-digests',
    ResourceProperties: to,
    OldResourceProperties: from,
  };
}

describe('the authorization digests', () => {
  it('include every accepted value, and the response does not contain the values', async () => {
    const answer = await handle({
      ...COMMON,
      RequestType: 'Create',
      ResourceProperties: properties(2, 'arn:2', 'arn:1'),
    });

    expect(answer).toEqual({
      PhysicalResourceId: 'authorization-digests',
      Data: { digests: `${digestOf('value of arn:2')},${digestOf('value of arn:1')}` },
    });
  });

  it('change with the version, but keep their physical id, so that nothing is replaced', async () => {
    const answer = await handle(update(properties(1, 'arn:1'), properties(2, 'arn:2', 'arn:1')));

    expect(answer.PhysicalResourceId).toBe('authorization-digests');
    expect(answer).toHaveProperty(
      'Data.digests',
      `${digestOf('value of arn:2')},${digestOf('value of arn:1')}`,
    );
  });

  it.each([
    [1, 3],
    [4, 2],
  ])('reject a change from version %i to %i, which would lock 8x8 out', async (from, to) => {
    await expect(
      handle(update(properties(from, `arn:${from}`), properties(to, `arn:${to}`, `arn:${to - 1}`))),
    ).rejects.toThrow(`authorizationVersion changed from ${from} to ${to}. Change it by one per deployment`);
  });

  it('follow a rollback to the previous version', async () => {
    const answer = await handle(update(properties(2, 'arn:2', 'arn:1'), properties(1, 'arn:1')));

    expect(answer).toHaveProperty('Data.digests', digestOf('value of arn:1'));
  });

  it('can be deleted when the secrets are gone', async () => {
    const answer = await createHandler(async () => {
      throw new Error('gone');
    })({
      ...COMMON,
      RequestType: 'Delete',
      PhysicalResourceId: 'authorization-digests',
      ResourceProperties: properties(1),
    });

    expect(answer).toEqual({ PhysicalResourceId: 'authorization-digests' });
  });
});
