import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { secretReader } from '../../functions/secrets.ts';

/** A reader of secrets that gets these responses in order: a text, or the name of an error. The last one repeats. */
function reader(...answers: ({ text: string } | { error: string })[]) {
  const paused: number[] = [];
  const client = new SecretsManagerClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  client.middlewareStack.add(() => async () => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer && 'text' in answer)
      return { output: { $metadata: {}, SecretString: answer.text }, response: {} };
    throw Object.assign(new Error('said AWS.'), { name: answer?.error });
  });
  return { paused, read: secretReader(client, async (milliseconds) => paused.push(milliseconds)) };
}

describe('a secret', () => {
  it('is read again after a denied access, because a new permission is not effective immediately', async () => {
    const { paused, read } = reader({ error: 'AccessDeniedException' }, { text: 'value' });

    expect(await read('some/name')).toBe('value');
    expect(paused).toEqual([3_000]);
  });

  it('may not exist when access is denied for a minute, because IAM also denies access to an unknown name', async () => {
    const { paused, read } = reader({ error: 'AccessDeniedException' });

    await expect(read('some/name')).rejects.toThrow(
      'Cannot read the secret some/name: said AWS. Check that it exists under this name, in this account and region.',
    );
    expect(paused.reduce((sum, pause) => sum + pause, 0)).toBe(57_000);
  });

  it.each([
    [{ error: 'ResourceNotFoundException' }, 'Cannot read the secret some/name: said AWS.'],
    [{ text: '' }, 'Cannot read the secret some/name: it has no text'],
  ])('is not read again after the response %j', async (answer, message) => {
    const { paused, read } = reader(answer);

    await expect(read('some/name')).rejects.toThrow(new Error(message));
    expect(paused).toEqual([]);
  });
});
