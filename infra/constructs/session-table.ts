import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { Encryption } from './encryption.ts';

export interface SessionTableProps {
  encryption: Encryption;
  /** Whether the table is retained when the stack is deleted, and protected from deletion. */
  retain: boolean;
  /** Whether the table has a stream of its changes. */
  stream: boolean;
}

/** The table of session records: one item per session, and a sparse index of unsuccessful sessions. */
export class SessionTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { encryption: { dataKey }, retain, stream }: SessionTableProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'sessionId', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // Only records that were written while `retentionDays` was set have this attribute.
      timeToLiveAttribute: 'expiresAt',
      deletionProtection: retain,
      removalPolicy: retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(stream && { stream: StreamViewType.NEW_IMAGE }),
      // By default DynamoDB encrypts with a key that AWS owns, which is free of charge.
      ...(dataKey && { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: dataKey }),
    });
    // For retry jobs: the unsuccessful sessions of a sub-account, sorted by the time they ended or, if that is unknown,
    // the time the summary was received. An item without the sort key would not be in the index.
    this.table.addGlobalSecondaryIndex({
      indexName: 'unsuccessful-sessions',
      partitionKey: { name: 'unsuccessfulIn', type: AttributeType.STRING },
      sortKey: { name: 'unsuccessfulAt', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
  }
}
