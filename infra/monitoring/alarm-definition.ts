import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { NodeFunction } from '../constructs/node-function.ts';
import type { SessionEvents } from '../session-events/session-events.ts';
import type { Settings } from '../settings.ts';

export interface AlarmsProps {
  stageName: string;
  settings: Settings;
  /** Encrypts the topic. */
  key: Key;
  api: RestApi;
  queue: Queue;
  deadLetterQueue: Queue;
  /** Undefined if the stage publishes no session events. */
  sessionEvents: SessionEvents | undefined;
  functions: Readonly<Record<'Webhook' | 'Recorder' | 'Registration', NodeFunction>> & {
    /** Undefined if the stage has no exports. */
    Exports?: NodeFunction;
    /** Undefined if the setting `reconciliation` is `off`. */
    Reconciliation?: NodeFunction;
  };
}

export interface AlarmDefinition {
  metric: IMetric;
  /** The alarm triggers at this value and above; with `isLow`, at this value and below. */
  threshold: number;
  /** Whether a low value triggers the alarm. Default: false. */
  isLow?: boolean;
  /** How many periods have to breach the threshold. Default: 1. */
  periods?: number;
  /** Among how many of the last periods. Default: `periods`, which means consecutive periods. */
  outOf?: number;
  /** How missing data counts. Default: as OK. */
  missing?: TreatMissingData;
  /** Text of the alarm: what has happened. */
  means: string;
  /** Text of the alarm: what is at risk. */
  risk: string;
  /** Text of the alarm: the first command to run. */
  first: string;
}

export type AlarmDefinitions = Record<string, AlarmDefinition>;

export const doctorCommand = ({ stageName }: AlarmsProps) =>
  `npx --no vss-webhook doctor --stage ${stageName}`;

export const redriveCommand = ({ stageName }: AlarmsProps) =>
  `npx --no vss-webhook redrive --stage ${stageName}`;

export const redriveEventsCommand = ({ stageName }: AlarmsProps) =>
  `npx --no vss-webhook redrive events --stage ${stageName}`;

export const logsCommand = ({ logGroup }: NodeFunction) =>
  `aws logs tail ${logGroup.logGroupName} --since 1h`;
