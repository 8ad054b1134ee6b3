import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import * as v from 'valibot';
import type { Counters } from '../telemetry.ts';
import { CheckEvent, type Checked, check } from './check.ts';
import { applyResourceEvent, type Resource, type ResourceDependencies } from './custom-resource.ts';

interface Dependencies extends ResourceDependencies {
  metrics: Counters;
}

/** Handles the custom resource that registers a webhook at 8x8 (CDK provider framework), and the scheduled check. */
export function createHandler(dependencies: Dependencies) {
  return async (event: CloudFormationCustomResourceEvent | CheckEvent): Promise<Resource | Checked[]> => {
    if ('check' in event) return checkAndReport(dependencies, v.parse(CheckEvent, event));
    try {
      return await applyResourceEvent(dependencies, event);
    } catch (error) {
      throw shortenedError(error);
    }
  };
}

/** How long a check retries, in milliseconds. Short, because a person may be waiting for it (`npx vss-webhook doctor`). */
const CHECK_RETRY_MS = 2 * 60_000;

async function checkAndReport(
  { connect, logger, metrics }: Dependencies,
  event: CheckEvent,
): Promise<Checked[]> {
  const all = await check(() => connect(CHECK_RETRY_MS), event);
  const isUnchecked = ({ problem }: Checked) => problem?.finding === 'not-checked';
  metrics.addMetric('WebhookUnchecked', MetricUnit.Count, all.filter(isUnchecked).length);
  for (const checked of all) {
    const { subAccountId, problem } = checked;
    // An unchecked webhook counts neither as 1 nor as 0: an outage of 8x8's API stops no delivery.
    if (!isUnchecked(checked)) metrics.addMetric('WebhookRegistered', MetricUnit.Count, problem ? 0 : 1);
    if (problem) logger.error('The webhook is not registered as it should be', { subAccountId, ...problem });
  }
  metrics.publishStoredMetrics();
  return all;
}

/** CloudFormation limits a response to 4 KB, and the provider framework adds the stack trace to it. */
const MAX_MESSAGE_LENGTH = 1_900;

function shortenedError(error: unknown): unknown {
  if (!(error instanceof Error) || error.message.length <= MAX_MESSAGE_LENGTH) return error;
  return new Error(`${error.message.slice(0, MAX_MESSAGE_LENGTH)} ...`);
}
