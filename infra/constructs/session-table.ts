import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { Encryption } from './encryption.ts';

export interface SessionTableProps {
  encryption: Encryption;
  /** Whether the table outlives the stack, and cannot be deleted before that is switched off. */
  retain: boolean;
}

/** The table of session records: one item per session, and a sparse index of those that were not successful. */
export class SessionTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { encryption: { dataKey }, retain }: SessionTableProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'sessionId', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // Only records that were written while `retentionDays` was set have it.
      timeToLiveAttribute: 'expiresAt',
      deletionProtection: retain,
      removalPolicy: retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      // Without a key of the stack the table is encrypted with one that AWS owns, which costs nothing.
      ...(dataKey && { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: dataKey }),
    });
    // What a retry job reads: the sessions of a sub-account that have to be tried again, by when they ended or, where
    // that is not known, were received. An item without the sort key would not be in the index.
    this.table.addGlobalSecondaryIndex({
      indexName: 'unsuccessful-sessions',
      partitionKey: { name: 'unsuccessfulIn', type: AttributeType.STRING },
      sortKey: { name: 'unsuccessfulAt', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
  }
}
