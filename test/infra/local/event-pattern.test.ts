import * as v from 'valibot';
import { expect, it } from 'vitest';
import { EventPattern, matchesPattern } from '../../../infra/local/event-pattern.ts';

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html */

const EVENT = {
  source: 'aws.ec2',
  'detail-type': 'EC2 Instance State-change Notification',
  detail: { state: 'running', count: 5, flag: true, nothing: null, empty: '', FileName: 'image.png' },
};

it.each([
  [{}, true],
  [{ source: ['aws.ec2'] }, true],
  [{ source: ['aws.s3', 'aws.ec2'] }, true],
  [{ source: ['aws.s3'] }, false],
  [{ source: [] }, false],
  [{ source: ['aws.ec2'], detail: { state: ['stopped'] } }, false],
  [{ detail: { count: [5], flag: [true], nothing: [null], empty: [''] } }, true],
  [{ detail: { count: ['5'] } }, false],
  [{ detail: { flag: ['true'] } }, false],
  [{ detail: { missing: [null] } }, false],
  [{ source: [{ prefix: 'aws.' }] }, true],
  [{ detail: { state: [{ prefix: 'stop' }] } }, false],
  [{ detail: { FileName: [{ suffix: '.png' }] } }, true],
  [{ detail: { FileName: [{ suffix: '.jpg' }] } }, false],
  [{ detail: { count: [{ prefix: '5' }] } }, false],
  [{ detail: { state: [{ exists: true }] } }, true],
  [{ detail: { missing: [{ exists: true }] } }, false],
  [{ detail: { missing: [{ exists: false }] } }, true],
  [{ detail: { state: [{ 'anything-but': 'initializing' }] } }, true],
  [{ detail: { state: [{ 'anything-but': 'running' }] } }, false],
  [{ detail: { state: [{ 'anything-but': ['stopped', 'running'] }] } }, false],
  [{ detail: { state: [{ 'anything-but': { prefix: 'run' } }] } }, false],
  [{ detail: { FileName: [{ 'anything-but': { suffix: '.png' } }] } }, false],
  [{ detail: { FileName: [{ 'anything-but': { suffix: '.jpg' } }] } }, true],
  [{ detail: { empty: [{ 'anything-but': { suffix: '/3' } }] } }, true],
  [{ detail: { missing: [{ 'anything-but': 'a' }] } }, false],
  [{ missing: { state: ['running'] } }, false],
])('the pattern %j: %s', (pattern, expected) => {
  expect(matchesPattern(v.parse(EventPattern, pattern), EVENT)).toBe(expected);
});

it.each([
  [{ $or: [{ source: ['a'] }] }, '$or is not supported on this machine'],
  [{ source: [{ wildcard: 'aws.*' }] }, 'this comparison is not supported on this machine'],
  [{ detail: { count: [{ numeric: ['>', 0] }] } }, 'this comparison is not supported on this machine'],
  [{ source: 'aws.ec2' }, 'Expected Object but received "aws.ec2"'],
  ['text', 'Expected Object but received "text"'],
])('the pattern %j is rejected', (pattern, problem) => {
  expect(() => v.parse(EventPattern, pattern)).toThrow(problem);
});
