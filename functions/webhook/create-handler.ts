import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { loggableId } from '../loggable-id.ts';
import { type Message, toMessage } from '../queue/message.ts';
import type { Counters, Log } from '../telemetry.ts';
import { accepted, type ProblemName, problem, type Specific } from './problem.ts';
import { type Decision, type Expectations, type Request, receive } from './receive.ts';

interface Dependencies extends Expectations {
  queueUrl: string;
  deadLetterQueueUrl: string;
  /** Resolves once the queue has acknowledged the message. */
  send: (queueUrl: string, message: Message) => Promise<unknown>;
  logger: Log;
  metrics: Counters;
}

/** API Gateway → SQS. Stores a delivery before it answers 200, or 4xx for a delivery that is kept as a dead letter. */
export function createHandler(dependencies: Dependencies) {
  const { queueUrl, deadLetterQueueUrl, send, logger, metrics, ...expectations } = dependencies;

  async function store(decision: Decision): Promise<void> {
    if (decision.outcome === 'accepted') await send(queueUrl, toMessage(decision.delivery));
    if (decision.outcome === 'quarantined')
      await send(deadLetterQueueUrl, toMessage(decision.delivery, decision));
  }

  function reject(reason: ProblemName, requestId: string, specific?: Specific): APIGatewayProxyResult {
    metrics.addDimension('reason', reason);
    metrics.addMetric('DeliveriesRejected', MetricUnit.Count, 1);
    return problem(reason, requestId, specific);
  }

  async function receiveAndStore(request: Request, requestId: string): Promise<APIGatewayProxyResult> {
    const decision = receive(request, expectations);
    try {
      await store(decision);
    } catch (error) {
      logger.error('A delivery could not be stored', { requestId, error });
      return reject('queue-unavailable', requestId);
    }
    if (decision.outcome !== 'accepted') return reject(decision.reason, requestId, decision);

    const { sessionId, subAccountId } = decision;
    metrics.addMetadata('sessionId', loggableId(sessionId));
    metrics.addMetadata('subAccountId', loggableId(subAccountId));
    metrics.addMetric('DeliveriesAccepted', MetricUnit.Count, 1);
    return accepted(sessionId);
  }

  return async (request: Request): Promise<APIGatewayProxyResult> => {
    const { requestId } = request.requestContext;
    const response = await receiveAndStore(request, requestId);
    // The log line with the metric also identifies the delivery, so that each delivery logs only one line.
    metrics.addMetadata('requestId', requestId);
    metrics.publishStoredMetrics();
    return response;
  };
}
