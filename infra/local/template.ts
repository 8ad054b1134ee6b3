import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';

const Properties = v.record(v.string(), v.unknown());

const Template = v.object({
  Resources: v.record(
    v.string(),
    v.object({
      Type: v.string(),
      Properties: v.optional(Properties, {}),
      DependsOn: v.optional(v.union([v.string(), v.array(v.string())]), []),
    }),
  ),
  Outputs: v.optional(v.record(v.string(), v.object({ Value: v.unknown() })), {}),
});
export type Template = v.InferOutput<typeof Template>;

/** What a resource is to those that refer to it, once it exists. */
export interface Provisioned {
  /** The value of Ref. */
  ref: string;
  /** The values of Fn::GetAtt. */
  attributes?: Readonly<Record<string, string>>;
}

/** Makes a resource from its properties, in which every reference has been replaced by its value. */
export type Provision = (
  properties: Readonly<Record<string, unknown>>,
  logicalId: string,
) => Promise<Provisioned>;

/** Reads the template of the one stack in a cloud assembly, with these URLs replaced by others. */
export function readTemplate(
  assembly: string,
  stackName: string,
  urls: Readonly<Record<string, string>> = {},
): Template {
  let json = readFileSync(join(assembly, `${stackName}.template.json`), 'utf8');
  for (const [url, other] of Object.entries(urls)) json = json.replaceAll(url, other);
  return v.parse(Template, JSON.parse(json));
}

export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';

/**
 * Makes every resource of a template, as CloudFormation does: each once, after those it refers to or depends on.
 * Returns the values of the template's outputs.
 */
export async function provision(
  template: Template,
  stackName: string,
  provisionerOf: (type: string) => Provision,
): Promise<Map<string, string>> {
  const pseudoParameters = new Map([
    ['AWS::AccountId', ACCOUNT],
    ['AWS::Region', REGION],
    ['AWS::Partition', 'aws'],
    ['AWS::URLSuffix', 'amazonaws.com'],
    ['AWS::StackName', stackName],
    ['AWS::StackId', `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${stackName}/local`],
  ]);
  const resources = new Map<string, Promise<Provisioned>>();

  function resource(logicalId: string): Promise<Provisioned> {
    const known = resources.get(logicalId);
    if (known) return known;
    const made = make(logicalId);
    resources.set(logicalId, made);
    return made;
  }

  async function make(logicalId: string): Promise<Provisioned> {
    const definition = template.Resources[logicalId];
    if (!definition) throw new Error(`The template refers to ${logicalId}, which it does not have.`);
    await Promise.all([definition.DependsOn].flat().map(resource));
    const properties = v.parse(Properties, await evaluate(definition.Properties));
    return provisionerOf(definition.Type)(properties, logicalId);
  }

  /** Replaces intrinsic functions by their values; properties that are AWS::NoValue are left out. */
  async function evaluate(value: unknown): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map(evaluate));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [name = '', argument] = entries[0] ?? [];
    const intrinsic = entries.length === 1 ? intrinsics[name] : undefined;
    if (intrinsic) return intrinsic(argument);
    if (name.startsWith('Fn::')) throw new Error(`The local stack does not know ${name}.`);
    return Object.fromEntries(
      await Promise.all(entries.map(async ([key, inner]) => [key, await evaluate(inner)] as const)),
    );
  }

  const intrinsics: Record<string, (argument: unknown) => Promise<unknown>> = {
    async Ref(argument) {
      const name = v.parse(v.string(), argument);
      return pseudoParameters.get(name) ?? (await resource(name)).ref;
    },
    async 'Fn::GetAtt'(argument) {
      const [logicalId, attribute] = v.parse(v.tuple([v.string(), v.string()]), argument);
      const found = (await resource(logicalId)).attributes?.[attribute];
      if (found === undefined)
        throw new Error(`The local stack gives ${logicalId} no attribute ${attribute}.`);
      return found;
    },
    async 'Fn::Join'(argument) {
      const [separator, parts] = v.parse(v.tuple([v.string(), v.array(v.unknown())]), argument);
      return (await Promise.all(parts.map(evaluate))).join(separator);
    },
    async 'Fn::Sub'(argument) {
      const references = v.parse(v.string(), argument).split(/\$\{([\w:]+)\}/);
      // Every other part is a name between ${ and }.
      const parts = references.map((part, i) => (i % 2 === 0 ? part : evaluate({ Ref: part })));
      return (await Promise.all(parts)).join('');
    },
  };

  // All have to end before the first failure is reported: what is still being made would outlive the clean-up.
  const results = await Promise.allSettled(Object.keys(template.Resources).map(resource));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const outputs = Object.entries(template.Outputs).map(
    async ([name, { Value }]) => [name, String(await evaluate(Value))] as const,
  );
  return new Map(await Promise.all(outputs));
}
