import { BLOCKED_REQUESTS } from '../../monitoring/thresholds.ts';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import { countedBy, newestFirst } from '../stage/metric.ts';
import type { Diagnosis } from './diagnosis.ts';

const HOURS = 3;

/** What became of the requests of the last hours. */
interface Requests {
  /** Answered 4xx, by API Gateway or by the function. */
  refused: number;
  /** Those that reached the function. */
  invoked: number;
  accepted: number;
}

/** Checks whether API Gateway refuses requests before the function, which happens if 8x8 sends from a new address. */
export async function blockedRequests({ outputs, settings, stackName }: DeployedStage): Promise<Diagnosis[]> {
  const sumOf = async (metric: ReturnType<typeof countedBy>) => {
    const hours = await newestFirst(settings('cloudwatch'), {
      metric,
      stat: 'Sum',
      since: Date.now() - HOURS * 3_600_000,
      periodSeconds: 300,
    });
    return hours.reduce((sum, { value }) => sum + value, 0);
  };
  const aws = (Namespace: string, MetricName: string, Name: string, Value: string) =>
    sumOf({ Namespace, MetricName, Dimensions: [{ Name, Value }] });
  const [refused, invoked, accepted] = await Promise.all([
    aws('AWS/ApiGateway', '4XXError', 'ApiName', stackName),
    aws('AWS/Lambda', 'Invocations', 'FunctionName', outputs.WebhookFunctionName),
    sumOf(countedBy(stackName, 'DeliveriesAccepted')),
  ]);
  return [diagnose({ refused, invoked, accepted })];
}

export function diagnose({ refused, invoked, accepted }: Requests): Diagnosis {
  const blocked = Math.max(0, refused - invoked);
  const isHealthy = accepted > 0 || blocked < BLOCKED_REQUESTS;
  const text = `in ${HOURS} hours, ${accepted} accepted, and ${blocked} refused before the function`;
  const hint =
    ': 8x8 may send from new addresses. Next steps: infra/README.md, "8x8 sends from new addresses"';
  return { isHealthy, text: isHealthy ? text : `${text}${hint}` };
}
