import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './run.ts';
import { templateOf } from './templates.ts';

const [, diagram = ''] = /```mermaid\n(.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];

/** The nodes of the diagram that are resources of the stack: type, and what the logical id starts with. */
const RESOURCES: Readonly<Record<string, [type: string, logicalId: string]>> = {
  api: ['AWS::ApiGateway::RestApi', 'EdgeApi'],
  webhook: ['AWS::Lambda::Function', 'WebhookFunction'],
  queue: ['AWS::SQS::Queue', 'QueuesQueue'],
  dlq: ['AWS::SQS::Queue', 'QueuesDeadLetterQueue'],
  recorder: ['AWS::Lambda::Function', 'RecorderFunction'],
  reconciliation: ['AWS::Lambda::Function', 'ReconciliationFunction'],
  registration: ['AWS::Lambda::Function', 'RegistrationFunction'],
  table: ['AWS::DynamoDB::Table', 'SessionsTable'],
  pipe: ['AWS::Pipes::Pipe', 'SessionEventsPipe'],
  bus: ['AWS::Events::EventBus', 'SessionEventsBus'],
  bucket: ['AWS::S3::Bucket', 'ExportsBucket'],
  athena: ['AWS::Athena::WorkGroup', 'AthenaWorkgroup'],
};
const OUTSIDE_THE_STACK = ['8x8', 'deploy'];
/** What a reader of the diagram does not need: it neither receives, records, registers nor publishes. */
const NOT_DRAWN = /^(Authorization|ExportsFunction|RegistrationProvider|SessionEventsDeadLetterQueue)/;

const NODE = /(?<id>[\w-]*\w)(?:\[\(?[^\]]*\])?/.source;
const nodes = new Set<string>();
const arrows: [from: string, to: string][] = [];
for (const line of diagram.split('\n').slice(1)) {
  const ids = line
    .split(/ -- .*? --> | --> /)
    .map((node) => new RegExp(`^ *${NODE}$`).exec(node)?.groups?.['id']);
  for (const [i, id = ''] of ids.entries()) {
    if (id !== '') nodes.add(id);
    const previous = ids[i - 1];
    if (previous !== undefined) arrows.push([previous, id]);
  }
}

const resources: Record<string, { Type: string; Properties: object }> = templateOf({
  sessionEvents: true,
}).toJSON()['Resources'];

function logicalIdOf(node: string): string {
  const [type, prefix] = RESOURCES[node] ?? [];
  const ids = Object.keys(resources).filter(
    (id) => resources[id]?.Type === type && id.startsWith(`${prefix}`),
  );
  expect(ids, node).toHaveLength(1);
  return `${ids[0]}`;
}

describe('the architecture diagram of the README', () => {
  it('shows every queue, table, bucket and API of the stack, and each function that handles deliveries', () => {
    const types = new Set(Object.values(RESOURCES).map(([type]) => type));
    const deployed = Object.keys(resources).filter(
      (id) => types.has(resources[id]?.Type ?? '') && !NOT_DRAWN.test(id),
    );

    const drawn = [...nodes].filter((node) => !OUTSIDE_THE_STACK.includes(node)).map(logicalIdOf);
    expect(drawn.toSorted()).toEqual(deployed.toSorted());
  });

  it.each(arrows.filter((arrow) => arrow.every((node) => !OUTSIDE_THE_STACK.includes(node))))(
    'draws an arrow from %s to %s, which a resource of the stack connects',
    (from, to) => {
      const ids = [from, to].map(logicalIdOf);
      const mentions = (resource: string) =>
        ids.every((id) => resource === id || JSON.stringify(resources[resource]).includes(`"${id}"`));
      const connecting = Object.keys(resources).filter(
        (id) => mentions(id) && !resources[id]?.Type.startsWith('AWS::CloudWatch::'),
      );

      expect(connecting).not.toEqual([]);
    },
  );
});
