import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import type { Leftovers } from './leftovers.ts';
import type { Patience } from './until.ts';

/** What the steps of one smoke test share. */
export interface SmokeTest {
  stage: DeployedStage;
  dynamodb: DynamoDBClient;
  sqs: SQSClient;
  /** For how long each effect of a delivery is waited for. */
  patience: Patience;
  /** What the test has made, and has to remove. */
  leftovers: Leftovers;
}
