import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';

const Properties = v.record(v.string(), v.unknown());

export const Template = v.object({
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

/** The values with which other resources refer to a provisioned resource. */
export interface Provisioned {
  /** The value of Ref. */
  ref: string;
  /** The values of Fn::GetAtt. */
  attributes?: Readonly<Record<string, string>>;
}

/** Provisions a resource from its properties, in which all intrinsic functions are already evaluated. */
export type Provision = (
  properties: Readonly<Record<string, unknown>>,
  logicalId: string,
) => Promise<Provisioned>;

/** Reads the template of a stack from a cloud assembly, and replaces each key of `urls` by its value. */
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
 * Provisions every resource of a template, like CloudFormation: each once, after those it refers to or depends on.
 * Returns the values of the template's outputs.
 */
export async function provision(
  template: Template,
  stackName: string,
  provisionerOf: (type: string) => Provision,
): Promise<Map<string, string>> {
  const provisioning = new Provisioning(template, stackName, provisionerOf);
  // Waits for all before it rejects: a resource that is still being created would outlive the clean-up.
  const results = await Promise.allSettled(
    Object.keys(template.Resources).map((logicalId) => provisioning.resource(logicalId)),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const outputs = Object.entries(template.Outputs).map(
    async ([name, { Value }]) => [name, String(await provisioning.evaluate(Value))] as const,
  );
  return new Map(await Promise.all(outputs));
}

/** Provisions resources on demand, and evaluates the intrinsic functions that refer to them. */
class Provisioning {
  readonly #template: Template;
  readonly #provisionerOf: (type: string) => Provision;
  readonly #pseudoParameters: ReadonlyMap<string, string>;
  readonly #resources = new Map<string, Promise<Provisioned>>();

  constructor(template: Template, stackName: string, provisionerOf: (type: string) => Provision) {
    this.#template = template;
    this.#provisionerOf = provisionerOf;
    this.#pseudoParameters = new Map([
      ['AWS::AccountId', ACCOUNT],
      ['AWS::Region', REGION],
      ['AWS::Partition', 'aws'],
      ['AWS::URLSuffix', 'amazonaws.com'],
      ['AWS::StackName', stackName],
      ['AWS::StackId', `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${stackName}/local`],
    ]);
  }

  resource(logicalId: string): Promise<Provisioned> {
    const known = this.#resources.get(logicalId);
    if (known) return known;
    const made = this.#make(logicalId);
    this.#resources.set(logicalId, made);
    return made;
  }

  async #make(logicalId: string): Promise<Provisioned> {
    const definition = this.#template.Resources[logicalId];
    if (!definition) throw new Error(`The template refers to a missing resource ${logicalId}.`);
    await Promise.all([definition.DependsOn].flat().map((other) => this.resource(other)));
    const properties = v.parse(Properties, await this.evaluate(definition.Properties));
    return this.#provisionerOf(definition.Type)(properties, logicalId);
  }

  /** Evaluates the intrinsic functions in a value. */
  async evaluate(value: unknown): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map((item) => this.evaluate(item)));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [name = '', argument] = entries[0] ?? [];
    const intrinsic = entries.length === 1 ? this.#intrinsics[name] : undefined;
    if (intrinsic) return intrinsic(argument);
    if (name.startsWith('Fn::')) throw new Error(`The local stack does not support ${name}.`);
    return Object.fromEntries(
      await Promise.all(entries.map(async ([key, inner]) => [key, await this.evaluate(inner)] as const)),
    );
  }

  readonly #intrinsics: Readonly<Record<string, (argument: unknown) => Promise<unknown>>> = {
    Ref: async (argument) => {
      const name = v.parse(v.string(), argument);
      return this.#pseudoParameters.get(name) ?? (await this.resource(name)).ref;
    },
    'Fn::GetAtt': async (argument) => {
      const [logicalId, attribute] = v.parse(v.tuple([v.string(), v.string()]), argument);
      const found = (await this.resource(logicalId)).attributes?.[attribute];
      if (found === undefined)
        throw new Error(`The local stack does not support the attribute ${attribute} of ${logicalId}.`);
      return found;
    },
    'Fn::Join': async (argument) => {
      const [separator, parts] = v.parse(v.tuple([v.string(), v.array(v.unknown())]), argument);
      return (await Promise.all(parts.map((part) => this.evaluate(part)))).join(separator);
    },
    'Fn::Sub': async (argument) => {
      const references = v.parse(v.string(), argument).split(/\$\{([\w:]+)\}/);
      // Every second part is a name from ${name}.
      const parts = references.map((part, i) => (i % 2 === 0 ? part : this.evaluate({ Ref: part })));
      return (await Promise.all(parts)).join('');
    },
  };
}
