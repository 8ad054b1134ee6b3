/**
 * The tests that mutation testing runs. The fastest come first, because a mutant is killed by the first failing test. All
 * are in one file, because starting a worker per file would take longer than the tests.
 */
import '../functions/vss/error-codes.test.ts';
import '../functions/vss/content.test.ts';
import '../functions/vss/oddities.test.ts';
import '../functions/recorder/isolate.test.ts';
import '../functions/recorder/item.test.ts';
import '../functions/recorder/record-session.test.ts';
import '../functions/recorder/retry-policy.test.ts';
import '../functions/recorder/transient-fault.test.ts';
import '../functions/recorder/create-handler.test.ts';
import '../functions/vss/json.test.ts';
import '../functions/vss/event.test.ts';
import '../functions/vss/record.test.ts';
import '../functions/vss/session-event.test.ts';
import '../functions/vss/lossless.test.ts';
