import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { VssWebhookStack } from '../../infra/stack.ts';
import { readStage } from '../../infra/stages.ts';

const { stages, ...flags } = cdkJson.context;

/** Without stack traces, metadata and copies of the assets, which no test needs. They take a sixth of the CPU. */
const context = {
  ...flags,
  'aws:cdk:disable-asset-staging': true,
  'aws:cdk:disable-creation-stack-traces': true,
  'aws:cdk:disable-logicalId-metadata': true,
  'aws:cdk:disable-stack-trace': true,
  '@aws-cdk/core:enableAdditionalMetadataCollection': false,
};

/** The settings of the stage `local`, without session events, which are off by default. */
export const { sessionEvents: _, ...localSettings } = stages.local;

/**
 * The stack of a stage with the settings of `local`, some of them replaced. It is not validated: synth.test.ts validates
 * the templates that are deployed, and loading the rules takes ten times as long as a synthesis.
 */
export function stackOf(settings: object, stageName = 'test'): VssWebhookStack {
  const stage = readStage({ [stageName]: { ...localSettings, ...settings } }, stageName);
  const outdir = mkdtempSync(join(tmpdir(), 'vss-webhook-test-'));
  const app = new App({ context, outdir, treeMetadata: false, builtinCloudFormationValidation: false });
  return new VssWebhookStack(app, 'stack', { stage });
}

const templates = new Map<string, Template>();

/** The template of the same stack, synthesized once per set of settings. */
export function templateOf(settings: object = {}, stageName = 'test'): Template {
  const key = JSON.stringify([settings, stageName], (_, value) => value ?? String(value));
  const template = templates.get(key) ?? Template.fromStack(stackOf(settings, stageName));
  templates.set(key, template);
  return template;
}

/** Returns a function that finds the only resource of a type with matching properties: its logical id and properties. */
export function onlyOf(template: Template) {
  return (type: string, properties: object = {}) => {
    const found = Object.entries(template.findResources(type, { Properties: Match.objectLike(properties) }));
    if (found.length !== 1 || !found[0]) throw new Error(`${found.length} resources of ${type} match`);
    const [id, resource] = found[0];
    return { id, properties: resource['Properties'] };
  };
}
