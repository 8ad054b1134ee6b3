import {
  DynamoDBServiceException,
  InternalServerError,
  ProvisionedThroughputExceededException,
  ResourceNotFoundException,
  ThrottlingException,
} from '@aws-sdk/client-dynamodb';
import { KmsAccessDenied, KmsThrottled, OverLimit, RequestThrottled } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { DeadlineExceededError } from '../../../functions/client-settings.ts';
import { ContendedRecordError } from '../../../functions/recorder/record-session.ts';
import { RecordTooLargeError } from '../../../functions/recorder/session-table.ts';
import { isTransientFault } from '../../../functions/recorder/transient-fault.ts';

const answered = (httpStatusCode: number) => ({ $metadata: { httpStatusCode }, message: 'answered' });

/** An error of DynamoDB that the SDK has no class for. */
const unmodelled = (name: string, httpStatusCode: number) =>
  new DynamoDBServiceException({ name, $fault: 'client', ...answered(httpStatusCode) });

const network = (code: string) => Object.assign(new Error(`connect ${code}`), { code });
const named = (name: string) => Object.assign(new Error('late'), { name });

describe('a fault is transient', () => {
  it.each([
    ['DynamoDB throttles', new ThrottlingException(answered(400))],
    ['the table exceeds its throughput', new ProvisionedThroughputExceededException(answered(400))],
    ['DynamoDB fails', new InternalServerError(answered(500))],
    ['DynamoDB is unavailable', unmodelled('ServiceUnavailable', 503)],
    ['a server returns an unknown 5xx status', unmodelled('Unheard', 599)],
    ['a request is answered 429', unmodelled('Unheard', 429)],
    ['SQS throttles', new RequestThrottled(answered(400))],
    ['KMS throttles SQS', new KmsThrottled(answered(400))],
    ['a call exceeds its deadline', new DeadlineExceededError('The call did not succeed within 9000 ms')],
    ['a request times out', named('TimeoutError')],
    ['a request is answered 408', unmodelled('Unheard', 408)],
    ['credentials have expired', unmodelled('ExpiredTokenException', 400)],
    ['the record is contended', new ContendedRecordError('changed 20 times')],
    ...[
      'ECONNRESET',
      'ECONNREFUSED',
      'EPIPE',
      'ETIMEDOUT',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETDOWN',
      'EPROTO',
      'ECONNABORTED',
    ].map((code): [string, Error] => [`the connection fails with ${code}`, network(code)]),
  ])('when %s, also if it is the cause of another error', (_, error) => {
    expect(isTransientFault(error)).toBe(true);
    const wrapped = new Error('outer', { cause: new Error('middle', { cause: error }) });
    expect(isTransientFault(wrapped)).toBe(true);
  });
});

describe('a fault is not transient', () => {
  it.each([
    ['access is denied', unmodelled('AccessDeniedException', 400)],
    ['KMS denies access', new KmsAccessDenied(answered(400))],
    ['the table does not exist', new ResourceNotFoundException(answered(400))],
    ['the request is invalid', unmodelled('ValidationException', 400)],
    ['the token is not valid', unmodelled('UnrecognizedClientException', 400)],
    ['a limit is exceeded', new OverLimit(answered(403))],
    ['the record is too large', new RecordTooLargeError('The record exceeds 400 KB')],
    ['the code has a bug', new TypeError('undefined is not a function')],
    ['the thrown value is not an Error', 'ECONNRESET'],
    ['the thrown value is undefined', undefined],
    ['its cause is not an Error', new Error('outer', { cause: null })],
  ])('when %s', (_, error) => {
    expect(isTransientFault(error)).toBe(false);
  });

  it('when an error is its own cause', () => {
    const error = new Error('cyclic');
    error.cause = error;

    expect(isTransientFault(error)).toBe(false);
  });
});
