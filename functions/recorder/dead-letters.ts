import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { loggableId } from '../loggable-id.ts';
import { type DeadLetterReason, type Delivery, type Message, toMessage } from '../queue/message.ts';
import { type Counters, countBy, type Log } from '../telemetry.ts';

export interface DeadLetterDependencies {
  /** Resolves once the dead-letter queue has acknowledged the message. */
  sendToDeadLetters: (message: Message) => Promise<unknown>;
  logger: Log;
  metrics: Counters;
}

/** Moves deliveries to the dead-letter queue, and counts them by reason. */
export function deadLetters({ sendToDeadLetters, logger, metrics }: DeadLetterDependencies) {
  async function move(delivery: Delivery, deadLetter: DeadLetterReason): Promise<void> {
    await sendToDeadLetters(toMessage(delivery, deadLetter));
    metrics.addMetric('DeadLettered', MetricUnit.Count, 1);
    countBy(metrics, 'DeadLettered', ['reason', deadLetter.reason], 1);
  }

  return {
    move,
    /** Moves a delivery that cannot be recorded, and logs its known ids. */
    async quarantine(delivery: Delivery, deadLetter: DeadLetterReason, ids: object = {}): Promise<void> {
      await move(delivery, deadLetter);
      const details = { requestId: loggableId(delivery.requestId), reason: deadLetter.reason, ...ids };
      logger.warn('The delivery cannot be recorded; moved to the dead-letter queue', details);
    },
  };
}
