import { Duration, Stack, Validations } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { FunctionSchedule } from '../constructs/function-schedule.ts';
import { NodeFunction } from '../constructs/node-function.ts';
import { EXPORTS_PREFIX } from './bucket-prefixes.ts';

export interface ExportAgeProps {
  table: Table;
  /** The bucket of the exports to measure; others do not count. */
  bucket: Bucket;
}

/** Measures the age of the newest complete export every hour. */
export class ExportAge extends Construct {
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, { table, bucket }: ExportAgeProps) {
    super(scope, id);
    this.function = new NodeFunction(this, 'Function', {
      folder: 'exports',
      description: 'Measures the age of the newest export of the session records',
      timeout: Duration.minutes(1),
      environment: {
        TABLE_ARN: table.tableArn,
        BUCKET_NAME: bucket.bucketName,
        EXPORTS_PREFIX,
      },
    });
    // Older AWS documentation lists no resource type for this action, newer one lists the table. Only * satisfies both.
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['dynamodb:ListExports'], resources: ['*'] }),
    );
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['dynamodb:DescribeTable'], resources: [table.tableArn] }),
    );
    this.function.addToRolePolicy(
      new PolicyStatement({
        actions: ['dynamodb:DescribeExport'],
        resources: [`${table.tableArn}/export/*`],
      }),
    );
    new FunctionSchedule(this, 'Schedule', {
      target: this.function,
      description: 'Measures the age of the newest export',
      minutes: 60,
      event: {},
    });
    const tableId = Stack.of(this).resolve(table.tableArn)['Fn::GetAtt'][0];
    Validations.of(this).acknowledge(
      {
        id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
        reason:
          'AWS’s documentation is inconsistent on whether ListExports supports a table as resource. It returns the ARNs of exports, not their content.',
      },
      {
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${tableId}.Arn>/export/*]`,
        reason:
          'DynamoDB chooses the names of the exports. The function may describe every export of this table.',
      },
    );
  }
}
