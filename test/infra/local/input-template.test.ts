import { describe, expect, it } from 'vitest';
import { evaluateTemplate, isSupportedTemplate, valueAt } from '../../../infra/local/input-template.ts';

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html */

/** A part of the event in AWS's example. */
const EVENT = {
  'detail-type': 'EC2 Instance State-change Notification',
  source: 'aws.ec2',
  attributes: { SenderId: 'AIDA' },
  detail: { 'instance-id': 'i-0123456789', state: 'RUNNING' },
};

describe('an input template', () => {
  it('is the one in the documentation, with its result', () => {
    const template = '{ "instance" : <$.detail.instance-id>, "state": <$.detail.state> }';

    expect(evaluateTemplate(template, EVENT)).toEqual({ instance: 'i-0123456789', state: 'RUNNING' });
  });

  it('may be a string with a path, or a path alone', () => {
    expect(evaluateTemplate('"Hello, <$.attributes.SenderId>"', EVENT)).toBe('Hello, AIDA');
    expect(evaluateTemplate('<$.attributes.SenderId>', EVENT)).toBe('AIDA');
  });

  it('has the same result with quotation marks around the path of a text', () => {
    expect(evaluateTemplate('{"state": "<$.detail.state>"}', EVENT)).toEqual(
      evaluateTemplate('{"state": <$.detail.state>}', EVENT),
    );
  });

  it('may have several paths in one string', () => {
    expect(evaluateTemplate('{"id": "<$.detail.state>/<$.source>"}', EVENT)).toEqual({
      id: 'RUNNING/aws.ec2',
    });
  });

  it('inserts objects, and values that are not text, as JSON', () => {
    expect(evaluateTemplate('{"body": <$.detail>}', EVENT)).toEqual({ body: EVENT.detail });
    expect(evaluateTemplate('[<$.flag>, <$.list>]', { flag: true, list: ['a', 1] })).toEqual([
      true,
      ['a', 1],
    ]);
  });

  it('does not escape texts, so a quotation mark makes it invalid', () => {
    for (const template of ['{"text": "<$.text>"}', '{"text": <$.text>}']) {
      expect(() => evaluateTemplate(template, { text: 'a "quotation"' })).toThrow(SyntaxError);
      expect(evaluateTemplate(template, { text: 'a \\"quotation\\"' })).toEqual({ text: 'a "quotation"' });
    }
  });

  it('does not evaluate paths in values', () => {
    expect(evaluateTemplate('{"text": "<$.text>"}', { text: '<$.source>' })).toEqual({ text: '<$.source>' });
  });

  it.each([
    ['<$.detail.missing>', 'does not exist'],
    ['<$.source.missing>', 'does not exist'],
    ['<$.list[0]>', 'is not supported'],
    ['<$.list.*>', 'is not supported'],
    ['<aws.pipes.pipe-name>', 'is not supported'],
    ['"Body is <$.detail>"', 'is not supported'],
  ])('is rejected if it uses another part of the language: %s', (template, problem) => {
    expect(() => evaluateTemplate(template, { ...EVENT, list: [1] })).toThrow(problem);
  });
});

it('a template is supported if all its paths are', () => {
  expect(isSupportedTemplate('{"a": "<$.detail.state>/<$.source>"}')).toBe(true);
  expect(isSupportedTemplate('{"a": <$.detail.state>, "b": <$.list[0]>}')).toBe(false);
  expect(isSupportedTemplate('{"a": <aws.pipes.pipe-name>}')).toBe(false);
});

it('a path names a value', () => {
  expect(valueAt('$.detail-type', EVENT)).toBe('EC2 Instance State-change Notification');
});
