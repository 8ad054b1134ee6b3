import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import type { Leftovers } from './leftovers.ts';
import type { WaitOptions } from './until.ts';

/** The state that the steps of a smoke test share. */
export interface SmokeTest {
  stage: DeployedStage;
  dynamodb: DynamoDBClient;
  sqs: SQSClient;
  /** How long to wait for each effect of a delivery. */
  waitOptions: WaitOptions;
  /** What the test has created and must remove. */
  leftovers: Leftovers;
}
