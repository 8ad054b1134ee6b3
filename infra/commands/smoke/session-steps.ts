import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import { countedBy, newestFirst } from '../stage/metric.ts';
import type { Pending } from './leftovers.ts';
import { type Attributes, changes, differences, type Probe, probeOf } from './probe.ts';
import {
  type Answer,
  deliver,
  describeAnswer,
  type Route,
  throughApiGateway,
  throughLambda,
} from './route.ts';
import { type RecordLocation, readRecord } from './session-item.ts';
import type { SmokeTest } from './smoke-test.ts';
import { failed, passed, type Step, type Verdict } from './step.ts';
import { until } from './until.ts';

/** Tests that a delivery is recorded, and that a second delivery of it is a duplicate. */
export class SessionSteps {
  readonly steps: readonly Step[] = [
    { name: 'delivery', needs: [], run: (note) => this.#deliverFirst(note) },
    { name: 'record', needs: ['delivery'], run: () => this.#awaitRecord() },
    { name: 'duplicate', needs: ['record'], run: () => this.#deliverAgain() },
  ];

  readonly #test: SmokeTest;
  readonly #probe: Probe;
  readonly #first: Pending;
  #route: Route | undefined;
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

  /** Delivers a body by the route that the first step has found. See `deliver` in `route.ts` for `onNotStored`. */
  async deliver(body: string, onNotStored: () => void): Promise<Answer> {
    if (!this.#route) throw new Error('The step "delivery" has not run yet');
    return deliver(this.#route, body, onNotStored);
  }

  async #deliverFirst(note: (text: string) => void): Promise<Verdict> {
    const { stage, leftovers } = this.#test;
    const { sessionId, body } = this.#probe;
    const authorization = await readAuthorization(stage);
    const deliverBy = (route: Route): Promise<Answer> => {
      this.#route = route;
      this.#deliveredAt = performance.now();
      leftovers.pending.add(this.#first);
      return this.deliver(body, () => leftovers.pending.delete(this.#first));
    };
    leftovers.sessionIds.add(sessionId);
    let route = throughApiGateway(stage, authorization);
    let answer = await deliverBy(route);
    if (answer.problem === 'source-not-allowed') {
      note(NOT_ALLOWED);
      route = throughLambda(stage, authorization);
      answer = await deliverBy(route);
    }
    if (answer.status !== 200 || answer.sessionId !== sessionId)
      return failed(`${route.name} answered ${describeAnswer(answer)}; expected 200 with the session id`);
    return passed(`200 from ${route.name} for session ${sessionId}`);
  }

  async #awaitRecord(): Promise<Verdict> {
    const { waitOptions, leftovers } = this.#test;
    const record = await until(() => this.#readRecord(), waitOptions);
    if (!record)
      return failed(`no record within ${inSeconds(waitOptions.timeoutMs)}; see the recorder's log`);
    leftovers.pending.delete(this.#first);
    this.#record = record;
    const differing = differences(this.#probe, record);
    if (differing.length > 0)
      return failed(`the record differs from the delivery in: ${differing.join(', ')}`);
    const waited = performance.now() - this.#deliveredAt;
    return passed(`recorded after ${inSeconds(waited)}, with every field as delivered`);
  }

  async #deliverAgain(): Promise<Verdict> {
    const { stage, waitOptions, leftovers } = this.#test;
    const since = Date.now();
    const before = await countDuplicates(stage, since);
    const isDone = async () => (await countDuplicates(stage, since)) > before;
    const second: Pending = { sessionId: this.#probe.sessionId, isDone };
    leftovers.pending.add(second);
    const answer = await this.deliver(this.#probe.body, () => leftovers.pending.delete(second));
    if (answer.status !== 200)
      return failed(`the webhook answered ${describeAnswer(answer)} to the second delivery; expected 200`);

    const seen = await until(async () => {
      // Only the metric shows that the recorder has processed a duplicate, because the record does not change.
      const isCounted = await isDone();
      const changed = changes(this.#record, (await this.#readRecord()) ?? {});
      return isCounted || changed.length > 0 ? { isCounted, changed } : undefined;
    }, waitOptions);
    if (seen?.isCounted) leftovers.pending.delete(second);
    return verdictOfSecond(seen?.changed, waitOptions.timeoutMs);
  }

  #readRecord(): Promise<Attributes | undefined> {
    return readRecord(locationOf(this.#test, this.#probe.sessionId));
  }
}

/** @param changed The attributes that the second delivery has changed; undefined if it was not processed in time. */
function verdictOfSecond(changed: readonly string[] | undefined, timeoutMs: number): Verdict {
  if (changed === undefined) {
    return failed(
      `DuplicateDeliveries did not count the second delivery within ${inSeconds(timeoutMs)}: it is still in the queue, or the metric is missing`,
    );
  }
  if (changed.length > 0) return failed(`the second delivery changed the record: ${changed.join(', ')}`);
  return passed('delivered again: counted as a duplicate, and the record did not change');
}

const NOT_ALLOWED =
  "403 source-not-allowed: this machine's address is not in allowedSourceIps. Invoking the webhook function instead, which does not test API Gateway";

export function locationOf({ dynamodb, stage }: SmokeTest, sessionId: string): RecordLocation {
  return { dynamodb, tableName: stage.outputs.TableName, sessionId };
}

async function readAuthorization({ settings, outputs }: DeployedStage): Promise<string> {
  const { SecretString } = await new SecretsManagerClient(settings('secretsManager')).send(
    new GetSecretValueCommand({ SecretId: outputs.AuthorizationSecretArn }),
  );
  if (!SecretString) throw new Error(`the secret ${outputs.AuthorizationSecretArn} is empty`);
  return SecretString;
}

/** The number of duplicates since a time, from the start of its minute on. */
async function countDuplicates({ settings, stackName }: DeployedStage, since: number): Promise<number> {
  const metric = countedBy(stackName, 'DuplicateDeliveries');
  const values = await newestFirst(settings('cloudwatch'), { metric, stat: 'Sum', since, periodSeconds: 60 });
  return values.reduce((sum, { value }) => sum + value, 0);
}

export const inSeconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`;
