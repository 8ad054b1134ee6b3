import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';

/** The table of session records: one item per session, and a sparse index of those that were not successful. */
export class SessionTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'sessionId', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    });
    // What a retry job reads: the sessions of a sub-account that have to be tried again, by when they ended.
    this.table.addGlobalSecondaryIndex({
      indexName: 'unsuccessful-sessions',
      partitionKey: { name: 'unsuccessfulIn', type: AttributeType.STRING },
      sortKey: { name: 'endTime', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
  }
}
