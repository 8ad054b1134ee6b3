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
  /** Holds the exports that count. */
  bucket: Bucket;
}

/** Measures every hour how old the newest complete export is. */
export class ExportAge extends Construct {
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, { table, bucket }: ExportAgeProps) {
    super(scope, id);
    this.function = new NodeFunction(this, 'Function', {
      folder: 'exports',
      description: 'Measures how old the newest export of the session records is',
      timeout: Duration.minutes(1),
      environment: {
        TABLE_ARN: table.tableArn,
        BUCKET_NAME: bucket.bucketName,
        EXPORTS_PREFIX,
      },
    });
    // Older pages of AWS give this action no resource type, newer ones the table: only this works under both.
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
      description: 'Measures how old the newest export is',
      minutes: 60,
      event: {},
    });
    const tableId = Stack.of(this).resolve(table.tableArn)['Fn::GetAtt'][0];
    Validations.of(this).acknowledge(
      {
        id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
        reason:
          'Not every release of AWS takes a table for ListExports; it shows the names of exports, nothing in them.',
      },
      {
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${tableId}.Arn>/export/*]`,
        reason: 'DynamoDB names the exports of the table; the function may describe each of them.',
      },
    );
  }
}
