import * as v from 'valibot';
import type { Template } from '../../local/template.ts';

/** A line of the table: item, amount and US dollars. */
export type Line = readonly [item: string, amount: string, dollars: number];

export const count = (amount: number) => Math.round(amount).toLocaleString('en');
export const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;

const Lifecycle = v.object({
  LifecycleConfiguration: v.object({
    Rules: v.array(v.object({ Prefix: v.optional(v.string()), ExpirationInDays: v.optional(v.number()) })),
  }),
});
const FunctionFigures = v.object({
  MemorySize: v.number(),
  ReservedConcurrentExecutions: v.optional(v.number()),
  Environment: v.object({ Variables: v.record(v.string(), v.unknown()) }),
});

/** The properties of all resources of a type. */
export function propertiesOf(template: Template, type: string): Readonly<Record<string, unknown>>[] {
  return Object.values(template.Resources)
    .filter(({ Type }) => Type === type)
    .map(({ Properties }) => Properties);
}

/** The memory in MB, the environment and the reserved concurrency of one of our functions, by its construct; undefined if there is none. */
export function functionOf(template: Template, construct: string) {
  const [, found] =
    Object.entries(template.Resources).find(([id]) =>
      new RegExp(`^${construct}Function[0-9A-F]{8}$`).test(id),
    ) ?? [];
  return found && v.parse(FunctionFigures, found.Properties);
}

/** The days after which the bucket deletes the objects under a prefix. */
export function retentionDays(template: Template, prefix: string): number | undefined {
  const rules = propertiesOf(template, 'AWS::S3::Bucket').flatMap(
    (bucket) => v.parse(Lifecycle, bucket).LifecycleConfiguration.Rules,
  );
  return rules.find(({ Prefix }) => Prefix === prefix)?.ExpirationInDays;
}
