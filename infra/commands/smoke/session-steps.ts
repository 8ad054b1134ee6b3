import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import { countedBy, newestFirst } from '../stage/metric.ts';
import type { Pending } from './leftovers.ts';
import { type Attributes, changes, differences, type Probe, probeOf } from './probe.ts';
import { type Place, readRecord } from './session-item.ts';
import type { SmokeTest } from './smoke-test.ts';
import { proved, type Step, type Verdict, wrong } from './step.ts';
import { until } from './until.ts';
import { type Answer, deliver, inWords, throughApiGateway, throughLambda, type WayIn } from './way-in.ts';

/** From a delivery to its record; and that a second delivery of the same is a duplicate. */
export class SessionSteps {
  readonly steps: readonly Step[] = [
    { name: 'delivery', needs: [], run: (note) => this.#deliverFirst(note) },
    { name: 'record', needs: ['delivery'], run: () => this.#awaitRecord() },
    { name: 'duplicate', needs: ['record'], run: () => this.#deliverAgain() },
  ];

  readonly #test: SmokeTest;
  readonly #probe: Probe;
  readonly #first: Pending;
  #wayIn: WayIn | undefined;
  #deliveredAt = 0;
  #record: Attributes = {};

  constructor(test: SmokeTest) {
    this.#test = test;
    this.#probe = probeOf(test.stage.outputs.SubAccountIds.split(',')[0] ?? '');
    this.#first = {
      sessionId: this.#probe.sessionId,
      isDone: async () => (await this.#readRecord()) !== undefined,
    };
  }

  /** Delivers a body by the way that the first step has found; `notKept` as in `deliver`. */
  async deliver(body: string, notKept: () => void): Promise<Answer> {
    if (!this.#wayIn) throw new Error('nothing has been delivered yet');
    return deliver(this.#wayIn, body, notKept);
  }

  async #deliverFirst(note: (text: string) => void): Promise<Verdict> {
    const { stage, leftovers } = this.#test;
    const { sessionId, body } = this.#probe;
    const authorization = await readAuthorization(stage);
    const deliverBy = (wayIn: WayIn): Promise<Answer> => {
      this.#wayIn = wayIn;
      this.#deliveredAt = performance.now();
      leftovers.pending.add(this.#first);
      return this.deliver(body, () => leftovers.pending.delete(this.#first));
    };
    leftovers.sessionIds.add(sessionId);
    let wayIn = throughApiGateway(stage, authorization);
    let answer = await deliverBy(wayIn);
    if (answer.problem === 'source-not-allowed') {
      note(NOT_ALLOWED);
      wayIn = throughLambda(stage, authorization);
      answer = await deliverBy(wayIn);
    }
    if (answer.status !== 200 || answer.sessionId !== sessionId)
      return wrong(`${wayIn.name} answers ${inWords(answer)}; expected 200 with the session id`);
    return proved(`200 from ${wayIn.name} for session ${sessionId}`);
  }

  async #awaitRecord(): Promise<Verdict> {
    const { patience, leftovers } = this.#test;
    const record = await until(() => this.#readRecord(), patience);
    if (!record) return wrong(`no record within ${inSeconds(patience.timeoutMs)}; see the recorder's log`);
    leftovers.pending.delete(this.#first);
    this.#record = record;
    const differing = differences(this.#probe, record);
    if (differing.length > 0) return wrong(`the record is not as it was delivered: ${differing.join(', ')}`);
    const waited = performance.now() - this.#deliveredAt;
    return proved(`in the table after ${inSeconds(waited)}, with every field as it was delivered`);
  }

  async #deliverAgain(): Promise<Verdict> {
    const { stage, patience, leftovers } = this.#test;
    const since = Date.now();
    const before = await countDuplicates(stage, since);
    const isDone = async () => (await countDuplicates(stage, since)) > before;
    const second: Pending = { sessionId: this.#probe.sessionId, isDone };
    leftovers.pending.add(second);
    const answer = await this.deliver(this.#probe.body, () => leftovers.pending.delete(second));
    if (answer.status !== 200) return wrong(`the second delivery is answered ${inWords(answer)}`);

    const seen = await until(async () => {
      // Only the metric says that the recorder is done: a duplicate leaves nothing in the record.
      const isCounted = await isDone();
      const changed = changes(this.#record, (await this.#readRecord()) ?? {});
      return isCounted || changed.length > 0 ? { isCounted, changed } : undefined;
    }, patience);
    if (seen?.isCounted) leftovers.pending.delete(second);
    return verdictOfSecond(seen?.changed, patience.timeoutMs);
  }

  #readRecord(): Promise<Attributes | undefined> {
    return readRecord(placeOf(this.#test, this.#probe.sessionId));
  }
}

/** @param changed What the second delivery has changed; undefined, if nothing shows that it has been recorded. */
function verdictOfSecond(changed: readonly string[] | undefined, timeoutMs: number): Verdict {
  if (changed === undefined) {
    return wrong(
      `DuplicateDeliveries has not counted the second delivery within ${inSeconds(timeoutMs)}: it waits in the queue, or the metric is missing`,
    );
  }
  if (changed.length > 0) return wrong(`the second delivery has changed the record: ${changed.join(', ')}`);
  return proved('delivered again: a duplicate is counted, and the record has not changed');
}

const NOT_ALLOWED =
  "403 source-not-allowed: this machine's address is not in allowedSourceIps. Invoking the webhook function instead; that API Gateway passes deliveries on to it is not proved";

/** Where the record of a session is. */
export function placeOf({ dynamodb, stage }: SmokeTest, sessionId: string): Place {
  return { dynamodb, tableName: stage.outputs.TableName, sessionId };
}

async function readAuthorization({ settings, outputs }: DeployedStage): Promise<string> {
  const { SecretString } = await new SecretsManagerClient(settings('secretsManager')).send(
    new GetSecretValueCommand({ SecretId: outputs.AuthorizationSecretArn }),
  );
  if (!SecretString) throw new Error(`the secret ${outputs.AuthorizationSecretArn} is empty`);
  return SecretString;
}

/** How many duplicates have been counted since a time; within the minute of that time, also before it. */
async function countDuplicates({ settings, stackName }: DeployedStage, since: number): Promise<number> {
  const metric = countedBy(stackName, 'DuplicateDeliveries');
  const values = await newestFirst(settings('cloudwatch'), { metric, stat: 'Sum', since, periodSeconds: 60 });
  return values.reduce((sum, { value }) => sum + value, 0);
}

export const inSeconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`;
