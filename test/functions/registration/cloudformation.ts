import type { CloudFormationCustomResourceEvent } from 'aws-lambda';

/** Properties as CloudFormation sends them. */
export type Properties = Readonly<Record<string, string>> & { ServiceToken: string };

type Handler = (event: CloudFormationCustomResourceEvent) => Promise<unknown>;

/** What goes wrong in a deployment, apart from 8x8. */
export type Trouble =
  | 'none'
  /** Another resource fails after this one. */
  | 'fails-elsewhere'
  /** CloudFormation stops waiting for the resource, whose creation or update then takes effect. */
  | 'given-up'
  /** The stack is deleted while the resource is created, which completes after its Delete. */
  | 'deleted-meanwhile'
  /** The function receives each event twice. */
  | 'twice';

/** The outcome of an operation on a stack, for its custom resource. */
export type Outcome =
  | 'unchanged'
  | 'created'
  | 'create-failed'
  | 'created-and-rolled-back'
  | 'updated'
  | 'rolled-back'
  | 'rollback-failed'
  | 'deleted';

export const COMMON = {
  ServiceToken: 'token',
  ResponseURL: 'https://example.com',
  StackId: 'arn:aws:cloudformation:us-east-1:000000000000:stack/some/id',
  RequestId: 'request',
  LogicalResourceId: 'Registration',
  ResourceType: 'Custom::WebhookRegistration',
};

export const URL_OF_OURS = 'https://api.example/voice/webhooks/vss';
export const PHYSICAL_ID = '8x8-webhook/some_account/VSS';

/** The properties of a registration with a version of the Authorization value. */
export const properties = (version = 1, changed: Record<string, string> = {}): Properties => ({
  ServiceToken: 'token',
  subAccountId: 'some_account',
  webhooksApiUrl: 'https://voice.example',
  url: URL_OF_OURS,
  authorizationSecretArn: String(version),
  takeOver: 'false',
  onDelete: 'remove',
  ...changed,
});

export const create = (to = properties()): CloudFormationCustomResourceEvent => ({
  ...COMMON,
  RequestType: 'Create',
  ResourceProperties: to,
});
export const update = (from: Properties, to: Properties): CloudFormationCustomResourceEvent => ({
  ...COMMON,
  RequestType: 'Update',
  PhysicalResourceId: PHYSICAL_ID,
  ResourceProperties: to,
  OldResourceProperties: from,
});
export const remove = (of = properties(), physicalId = PHYSICAL_ID): CloudFormationCustomResourceEvent => ({
  ...COMMON,
  RequestType: 'Delete',
  PhysicalResourceId: physicalId,
  ResourceProperties: of,
});

/** The physical id of a creation for which CloudFormation did not wait. */
const MADE_UP_ID = 'some-Registration-1XQ0ABCDEF';

/** Simulates CloudFormation and the CDK provider framework for a stack with one custom resource. */
export class StackModel {
  /** Undefined until the resource is created. */
  resource: { physicalId: string; properties: Properties } | undefined;
  /** The CloudFormation status of the stack. */
  status = 'CREATE_COMPLETE';
  /** The failure messages, in order. */
  readonly failures: string[] = [];
  readonly #handle: Handler;
  readonly #rollsBackFailedUpdate: boolean;
  #isTwice = false;
  /** The update whose rollback failed. */
  #toRestore: { from: Properties; to: Properties } | undefined;

  /**
   * @param rollsBackFailedUpdate Whether the rollback of an update that failed at this resource passes the properties
   * of that update as the old ones. CloudFormation does not document it. The handler depends on it only if the URL changes.
   */
  constructor(handle: Handler, rollsBackFailedUpdate = true) {
    this.#handle = handle;
    this.#rollsBackFailedUpdate = rollsBackFailedUpdate;
  }

  async deploy(properties: Properties, trouble: Trouble = 'none'): Promise<Outcome> {
    this.#isTwice = trouble === 'twice';
    if (!this.resource) return this.#create(properties, trouble);
    this.status = 'UPDATE_IN_PROGRESS';
    const from = this.resource.properties;
    if (JSON.stringify(from) === JSON.stringify(properties)) return 'unchanged';
    const isUpdated = (await this.#update(properties, from)) && trouble !== 'given-up';
    if (isUpdated && trouble !== 'fails-elsewhere') return 'updated';
    const passesFailed = isUpdated || this.#rollsBackFailedUpdate || properties['url'] !== from['url'];
    this.#toRestore = { from: passesFailed ? properties : from, to: from };
    return this.continueRollback();
  }

  /** Rolls a failed update back. Can be repeated if the rollback fails. */
  async continueRollback(): Promise<'rolled-back' | 'rollback-failed'> {
    if (!this.#toRestore) throw new Error('There is nothing to roll back');
    this.status = 'UPDATE_ROLLBACK_IN_PROGRESS';
    const isRestored = await this.#update(this.#toRestore.to, this.#toRestore.from);
    if (!isRestored) return 'rollback-failed';
    this.#toRestore = undefined;
    return 'rolled-back';
  }

  /** Deletes the stack, in any state. */
  async destroy(): Promise<Outcome> {
    const { resource } = this;
    this.status = 'DELETE_IN_PROGRESS';
    this.resource = undefined;
    this.#toRestore = undefined;
    if (resource) await this.#delete(resource.physicalId, resource.properties);
    return 'deleted';
  }

  async #create(properties: Properties, trouble: Trouble): Promise<Outcome> {
    this.status = 'CREATE_IN_PROGRESS';
    if (trouble === 'deleted-meanwhile') {
      this.status = 'DELETE_IN_PROGRESS';
      await this.#delete(MADE_UP_ID, properties);
    }
    const physicalId = await this.#send({
      ...COMMON,
      RequestType: 'Create',
      ResourceProperties: properties,
    });
    // After a failed Create, the provider framework returns a marker as the physical id, and ignores its Delete.
    if (physicalId === undefined) return 'create-failed';
    if (trouble === 'fails-elsewhere' || trouble === 'given-up') {
      this.status = 'ROLLBACK_IN_PROGRESS';
      await this.#delete(trouble === 'given-up' ? MADE_UP_ID : physicalId, properties);
      return 'created-and-rolled-back';
    }
    this.resource = { physicalId, properties };
    return 'created';
  }

  /** Sends an update. If the physical id changes, the clean-up deletes the old one. */
  async #update(to: Properties, from: Properties): Promise<boolean> {
    const before = this.resource?.physicalId ?? '';
    const physicalId = await this.#send({
      ...COMMON,
      RequestType: 'Update',
      PhysicalResourceId: before,
      ResourceProperties: to,
      OldResourceProperties: from,
    });
    if (physicalId === undefined) return false;
    if (physicalId !== before) {
      this.status = `${this.status.replace(/_IN_PROGRESS$/, '')}_COMPLETE_CLEANUP_IN_PROGRESS`;
      await this.#delete(before, from);
    }
    this.resource = { physicalId, properties: to };
    return true;
  }

  async #delete(physicalId: string, properties: Properties): Promise<void> {
    const returned = await this.#send({
      ...COMMON,
      RequestType: 'Delete',
      PhysicalResourceId: physicalId,
      ResourceProperties: properties,
    });
    if (returned !== physicalId) throw new Error(`A Delete of ${physicalId} returned ${returned}`);
  }

  /** Returns the physical id that the handler returns, or undefined if it fails. */
  async #send(event: CloudFormationCustomResourceEvent): Promise<string | undefined> {
    try {
      const answer = await this.#handle(event);
      // CloudFormation ignores the second response.
      if (this.#isTwice) await this.#handle(event).catch(() => {});
      if (JSON.stringify(answer).length > 3_000)
        throw new Error('The response is too long for CloudFormation');
      return Object(answer).PhysicalResourceId;
    } catch (error) {
      this.failures.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
}
