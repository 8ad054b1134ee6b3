import { handler as webhook } from '../../functions/webhook/handler.ts';
import { TIMEOUT_SECONDS } from '../../infra/constructs/timeouts.ts';

/**
 * The webhook function, which rejects once it exceeds its Lambda timeout. The timer runs in the same process, so a slow
 * machine delays it as much as the function's own timers.
 */
export async function handler(event: Parameters<typeof webhook>[0]) {
  const timedOut = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => timedOut.reject(new Error('exceeded its timeout')),
    TIMEOUT_SECONDS.webhook * 1_000,
  );
  try {
    return await Promise.race([webhook(event), timedOut.promise]);
  } finally {
    clearTimeout(timer);
  }
}
